"""Connectors, run command by command, and what is seen of each run."""
