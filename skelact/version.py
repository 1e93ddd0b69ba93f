"""The version of skelact."""

__version__ = "0.1.0"
