"""Sources, destinations, and the definitions of what can run."""
