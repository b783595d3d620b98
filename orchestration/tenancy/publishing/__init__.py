"""From a finished build to what readers see: sealed, swapped in, rolled back, dropped."""
