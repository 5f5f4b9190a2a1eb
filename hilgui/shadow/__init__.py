"""Baseline and candidate on one frame: paired in order, and how much they disagree."""

from hilgui.shadow.disagreement import disagree
from hilgui.shadow.pairing import Paired, Pairing

__all__ = ["Paired", "Pairing", "disagree"]
