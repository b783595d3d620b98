"""What survives releases: declared by models, written by key after each publish."""
