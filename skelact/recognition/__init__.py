"""Who does what, when: windows, segments, recognizer."""
