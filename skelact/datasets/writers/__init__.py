"""Writers, one file a foreign format."""
