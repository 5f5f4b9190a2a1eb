"""The heat map of a result as a file: SVG, or PNG without any screen."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np

from hilgui.colours import LIGHT
from hilgui.durable import write_document
from hilgui.errors import CallWrong
from hilgui.numerals import number_of
from hilgui.records import Role
from hilgui.robustness.result import Result

_LEFT, _TOP, _WIDE, _HIGH, _RIGHT, _FOOT = 190, 74, 74, 26, 90, 46  # px
_SCALE = 2  # of the PNG


@dataclass(frozen=True, slots=True)
class Field:
    """One rectangle with a number."""

    x: int
    y: int
    width: int
    text: str
    share: float | None  # of the clean measure that is left; None: not measured
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    is_soft: bool = False


def save_heat_map(path: Path, result: Result, role: Role) -> None:
    """Write the heat map of one model; the ending says what it becomes, .svg or .png. Raises CallWrong, StoreBroken."""
    makers = {".svg": svg, ".png": png}
    make = makers.get(path.suffix.lower())
    if make is None:
        raise CallWrong(f"{path.name}: a heat map is saved as .svg or .png")
    write_document(path, make(result, role))


def svg(result: Result, role: Role) -> bytes:
    """Draw it as SVG; every number is a text that can be found and copied."""
    width, height, fields, lines = _laid_out(result, role)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Inter, Segoe UI, Noto Sans, DejaVu Sans, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="{LIGHT["raised"]}"/>',
    ]
    for field in fields:
        fill, ink = colours_of(field.share)
        parts.append(
            f'<g><title>{escape(field.hint)}</title><rect x="{field.x}" y="{field.y}" width="{field.width - 2}" '
            f'height="{_HIGH - 2}" rx="2" fill="{fill}"/><text x="{field.x + field.width / 2 - 1:g}" '
            f'y="{field.y + _HIGH / 2 + 3:g}" text-anchor="middle" fill="{ink}">{escape(field.text)}</text></g>'
        )
    for line in lines:
        colour = LIGHT["text_soft" if line.is_soft else "text"]
        parts.append(
            f'<text x="{line.x:g}" y="{line.y:g}" text-anchor="{line.anchor}" fill="{colour}">'
            f"{escape(line.text)}</text>"
        )
    return "".join([*parts, "</svg>\n"]).encode()


def png(result: Result, role: Role) -> bytes:
    """Draw it as PNG with the strokes of OpenCV's own font, which has no letters beyond ASCII."""
    width, height, fields, lines = _laid_out(result, role)
    image = np.full((height * _SCALE, width * _SCALE, 3), 255, np.uint8)
    for field in fields:
        fill, ink = colours_of(field.share)
        corner = ((field.x + field.width - 2) * _SCALE, (field.y + _HIGH - 2) * _SCALE)
        cv2.rectangle(image, (field.x * _SCALE, field.y * _SCALE), corner, _bgr(fill), -1)
        _write(image, Line(field.x + field.width / 2 - 1, field.y + _HIGH / 2 + 3, field.text, "middle"), ink)
    for line in lines:
        _write(image, line, LIGHT["text_soft" if line.is_soft else "text"])
    _, data = cv2.imencode(".png", image)
    return data.tobytes()


def colours_of(share: float | None) -> tuple[str, str]:
    """Give the colour of a field and of its number: from white (all is left) to a deep blue (nothing is).

    One hue that only darkens, so it reads in grey and for every kind of sight; the number stands in it besides.
    """
    if share is None:
        return LIGHT["panel"], LIGHT["text_faint"]
    depth = 1.0 - min(max(share, 0.0), 1.0)
    light, deep = np.array([247, 249, 252]), np.array([16, 48, 110])
    red, green, blue = (light + (deep - light) * depth).round().astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}", "#ffffff" if depth > 0.45 else LIGHT["text"]


def _laid_out(result: Result, role: Role) -> tuple[int, int, list[Field], list[Line]]:
    clean = result.headline("clean", role)
    whole = None if clean is None or not clean.value else clean.value
    subject = next((one.name for one in result.models if one.role == role), "")
    lines = [
        Line(12, 22, f"{result.called(role)}: {subject}"),
        Line(12, 40, f"{result.measure}, clean {_number(None if clean is None else clean.value)}, "
             f"{number_of(sum(drive.frames for drive in result.drives), 'frame')}", is_soft=True),
    ]  # fmt: skip
    fields: list[Field] = []
    for place, column in enumerate(result.heads):
        lines.append(Line(_LEFT + (place + 0.5) * _WIDE - 1, _TOP - 8, column, "middle", is_soft=True))
    for number, row in enumerate(result.rows):
        y = _TOP + number * _HIGH
        lines.append(Line(_LEFT - 10, y + _HIGH / 2 + 3, row, "end"))
        for place, column in enumerate(result.columns):
            cell = result.cell(row, column, role)
            value = None if cell is None else cell.value
            hint = f"{row} at {column}: {_number(value)}"
            if cell is not None and cell.interval is not None:
                hint += f" [{cell.interval.low:.3f}, {cell.interval.high:.3f}]"
            fields.append(Field(_LEFT + place * _WIDE, y, _WIDE, _number(value), _share(value, whole), hint))
        if result.is_averaged:
            mean = result.mean(row, role)
            x = _LEFT + len(result.columns) * _WIDE
            fields.append(Field(x, y, _WIDE, _number(mean), _share(mean, whole), f"{row}, mean: {_number(mean)}"))
    bottom = _TOP + len(result.rows) * _HIGH
    told = ", ".join(
        f"{name} {_number(one.value)}" for name in ("mPC", "rPC") if (one := result.headline(name, role)) is not None
    )
    lines.append(Line(12, bottom + 24, told))
    return _LEFT + len(result.heads) * _WIDE + _RIGHT, bottom + _FOOT, fields, lines


def _share(value: float | None, whole: float | None) -> float | None:
    return None if value is None or whole is None else value / whole


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red


def _write(image: np.ndarray, line: Line, colour: str) -> None:
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.42 * _SCALE
    text = line.text.encode("ascii", "replace").decode()
    (width, _), _ = cv2.getTextSize(text, font, size, 1)
    left = line.x * _SCALE - {"start": 0.0, "middle": width / 2, "end": float(width)}[line.anchor]
    cv2.putText(image, text, (round(left), round(line.y * _SCALE)), font, size, _bgr(colour), 1, cv2.LINE_AA)
