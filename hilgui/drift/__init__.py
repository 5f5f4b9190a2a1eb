"""Drift: statistics and monitors of a stream against a reference."""
