"""Simulators that speak the bytes of the rigs over a pseudo terminal or TCP."""
