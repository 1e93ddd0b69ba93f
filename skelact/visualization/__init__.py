"""Pictures, animations, pages."""
