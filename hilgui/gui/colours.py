"""The colours of the bench: one name, one meaning, on every page and in both themes."""

from __future__ import annotations

from dataclasses import dataclass


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
    name="dark",
    truth="#f2f4f6",
    baseline="#3c90f6",
    candidate="#f79b4d",
    missed="#f0374d",
    phantom="#c656b3",
    good="#2fd7b9",
    warning="#e9d86a",
    window="#15171a",
    panel="#1b1e22",
    raised="#25292e",
    field="#111316",
    hover="#2c3137",
    selected="#2a3a52",
    picture="#0c0d0f",
    line="#2b3036",
    line_strong="#454c55",
    text="#e6e9ec",
    text_soft="#a9b1ba",
    text_faint="#7f8892",
    accent="#5b7fb4",
    on_accent="#ffffff",
)

LIGHT = Colours(
    name="light",
    truth="#1b1f24",
    baseline="#1450b0",
    candidate="#b45309",
    missed="#a8123f",
    phantom="#a656c8",
    good="#1f9478",
    warning="#ae901a",
    window="#eceef1",
    panel="#f7f8fa",
    raised="#ffffff",
    field="#ffffff",
    hover="#e3e7ec",
    selected="#cfdef3",
    picture="#d9dde2",
    line="#d5dae0",
    line_strong="#a8b1bb",
    text="#1c2126",
    text_soft="#4b545e",
    text_faint="#68727d",
    accent="#37629f",
    on_accent="#ffffff",
)

ON_PICTURE = DARK
"""Meanings drawn over a frame: pictures do not change with the theme, so neither do the boxes on them."""

MEANINGS = ("truth", "baseline", "candidate", "missed", "phantom", "good", "warning")
