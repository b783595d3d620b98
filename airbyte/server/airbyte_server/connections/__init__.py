"""Connections: which streams, how, into which tables."""
