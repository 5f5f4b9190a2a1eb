"""Drivers of serial-connected rigs, each a thin, honest translation of one protocol."""
