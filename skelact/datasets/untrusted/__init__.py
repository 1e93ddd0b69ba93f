"""Array files that somebody else wrote: read without running anything, in a child process."""
