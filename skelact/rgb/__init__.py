"""The optional RGB branch: video networks as encoders, and their fusion with the skeleton."""
