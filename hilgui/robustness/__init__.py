"""Robustness: corruptions, attacks, defences, red-team audit, explanations of failures."""
