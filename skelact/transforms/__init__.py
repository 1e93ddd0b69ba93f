"""Pure functions on recordings and clips `[..., N, C, T]`."""
