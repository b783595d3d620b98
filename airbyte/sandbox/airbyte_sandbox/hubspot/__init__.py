"""The customer relationship management."""
