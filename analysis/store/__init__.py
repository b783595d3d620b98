"""What the system remembers: tables of the schemas `sluice` and `analytics`, and how to read and write them."""
