"""Attacks on models: pixels, patches, defences against them, and the red-team audit."""
