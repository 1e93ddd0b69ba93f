"""Readers, one file a foreign format."""
