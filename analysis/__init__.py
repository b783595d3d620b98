"""What Sluice thinks: plain Python that takes values or a connection and returns values."""
