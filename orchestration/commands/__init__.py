"""The commands of `sluice`, one module per noun."""
