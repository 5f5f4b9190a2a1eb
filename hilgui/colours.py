"""The colours that mean something, the same on the screen and in every report.

Line style and words go with every colour: none of them speaks alone.
"""

from __future__ import annotations

LIGHT = {
    "truth": "#1b1f24",
    "baseline": "#1450b0",
    "candidate": "#b45309",
    "missed": "#a8123f",
    "phantom": "#a656c8",
    "good": "#1f9478",
    "warning": "#ae901a",
    "window": "#eceef1",
    "panel": "#f7f8fa",
    "raised": "#ffffff",
    "line": "#d5dae0",
    "line_strong": "#a8b1bb",
    "text": "#1c2126",
    "text_soft": "#4b545e",
    "text_faint": "#68727d",
}

DARK = {
    "truth": "#f2f4f6",
    "baseline": "#3c90f6",
    "candidate": "#f79b4d",
    "missed": "#f0374d",
    "phantom": "#c656b3",
    "good": "#2fd7b9",
    "warning": "#e9d86a",
    "window": "#15171a",
    "panel": "#1b1e22",
    "raised": "#25292e",
    "line": "#2b3036",
    "line_strong": "#454c55",
    "text": "#e6e9ec",
    "text_soft": "#a9b1ba",
    "text_faint": "#7f8892",
}

ON_PICTURE = {name: DARK[name] for name in ("truth", "baseline", "candidate", "missed", "phantom")}
"""Boxes over a frame: pictures do not change with the theme, so neither do the boxes on them."""


def css_variables(colours: dict[str, str]) -> str:
    """Write the colours as custom properties: `--text-soft: #4b545e; …`."""
    return " ".join(f"--{name.replace('_', '-')}: {value};" for name, value in colours.items())
