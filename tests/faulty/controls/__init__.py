"""Stores that are known to break a promise."""
