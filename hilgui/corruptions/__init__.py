"""Corruptions of pictures and streams: seeded, pure, of continuous severity; arrays in, arrays out."""

from hilgui.corruptions.catalogue import BENCH, COMMON, CORRUPTIONS, REVISION, STREAM, Corruption
from hilgui.corruptions.recipe import Recipe, parse_recipe
from hilgui.corruptions.steps import LEAST, MOST

__all__ = [
    "BENCH",
    "COMMON",
    "CORRUPTIONS",
    "LEAST",
    "MOST",
    "REVISION",
    "STREAM",
    "Corruption",
    "Recipe",
    "parse_recipe",
]
