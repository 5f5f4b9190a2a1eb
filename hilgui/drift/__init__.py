"""Drift: statistics and monitors of a stream against a reference."""

from hilgui.drift.adwin import Adwin
from hilgui.drift.psi import psi

__all__ = ["Adwin", "psi"]
