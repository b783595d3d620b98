"""What Sluice does: Dagster, the command line and the stack, thin over `analysis`."""
