"""Video in, people with identities out."""
