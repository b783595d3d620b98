"""Backups: one file that holds the whole of a stack or one tenant of it, and the way back."""
