"""The sandbox over HTTP: it answers as seven public APIs do, from one generated world per account."""
