"""One module per group of steps; each asset fetches, calls plain functions, stores and reports."""
