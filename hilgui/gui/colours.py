"""The colours of the bench: one name, one meaning, on every page and in both themes."""

from __future__ import annotations

from dataclasses import dataclass

from hilgui import colours


@dataclass(frozen=True, slots=True)
class Colours:
    """Every colour of one theme as "#rrggbb".

    The first seven carry meaning. They stay at least 0.07 apart in OKLab for normal sight, protanopia,
    deuteranopia and tritanopia (Machado 2009; checked by a test), and never speak alone: line style, shape or word
    goes with them.
    """

    name: str  # "dark" or "light"
    # meanings
    truth: str  # what the labels say
    baseline: str  # the model in service
    candidate: str  # the model that wants to replace it
    missed: str  # a truth that a model did not see; also FAIL and ERROR
    phantom: str  # a detection without truth
    good: str  # PASS, a match, within its limit
    warning: str  # look here: INCONCLUSIVE, fallback to CPU, near a limit
    # surfaces, from the back to the front
    window: str
    panel: str
    raised: str
    field: str  # where one types
    hover: str
    selected: str
    picture: str  # around the frame
    # lines and text
    line: str
    line_strong: str
    text: str
    text_soft: str
    text_faint: str
    # the one colour for "click me" and for focus; carries no meaning about data
    accent: str
    on_accent: str


DARK = Colours(
    **colours.DARK,
    name="dark",
    field="#111316",
    hover="#2c3137",
    selected="#2a3a52",
    picture="#0c0d0f",
    accent="#5b7fb4",
    on_accent="#ffffff",
)

LIGHT = Colours(
    **colours.LIGHT,
    name="light",
    field="#ffffff",
    hover="#e3e7ec",
    selected="#cfdef3",
    picture="#d9dde2",
    accent="#37629f",
    on_accent="#ffffff",
)

ON_PICTURE = DARK
"""Meanings drawn over a frame: pictures do not change with the theme, so neither do the boxes on them."""

MEANINGS = ("truth", "baseline", "candidate", "missed", "phantom", "good", "warning")
