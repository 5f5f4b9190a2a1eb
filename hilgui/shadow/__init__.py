"""Baseline and candidate on one frame: how much they disagree."""

from hilgui.shadow.disagreement import disagree

__all__ = ["disagree"]
