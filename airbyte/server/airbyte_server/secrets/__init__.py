"""Configurations encrypted at rest, masked in answers, with references resolved when used."""
