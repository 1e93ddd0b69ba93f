"""What is wrong with a store: damaged bytes, doubled clips, skeletons that no body has."""
