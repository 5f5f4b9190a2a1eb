"""Odd recordings, written for the tests: every frame carries its own number in the picture."""
