"""Draws plots as inline SVG; colours come from the page's custom properties, so both themes and paper work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from hilgui.report.drawing import Block, Drawing, Mark, Word

LEFT, WIDTH, RIGHT = 178, 790, 60  # px: names, the plot itself, numbers
BAND_PX, CURVE_PX, SPAN_PX, GAP_PX = 18, 64, 12, 8

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the drive in a lane; `hint` appears under the mouse."""

    first: float
    last: float
    hint: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A lane of counts, one a frame."""

    name: str
    colour: str  # a name of `colours`
    counts: Numbers
    top: float  # full height; lanes that are compared share it


@dataclass(frozen=True, slots=True)
class Spans:
    """A lane of stretches."""

    name: str
    colour: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Curves:
    """A lane with one or several curves over a common scale from 0."""

    name: str
    unit: str
    curves: Sequence[tuple[str, Numbers]]  # colour, values; NaN where unknown
    top: float


def lanes(positions: Numbers, rows: Iterable[Bars | Spans | Curves], unit: str) -> Markup:
    """Draw lanes above each other over one axis; `positions` (seconds or frame numbers) rise."""
    first = float(positions[0]) if len(positions) else 0.0
    last = float(positions[-1]) if len(positions) else 1.0
    axis = _Axis(first, last if last > first else first + 1.0)
    parts: list[str] = []
    y = 0.0
    for row in rows:
        parts.append(_name(row.name, y, _height(row)))
        if isinstance(row, Bars):
            parts.append(_bars(row, positions, axis, y))
        elif isinstance(row, Spans):
            parts.append(_spans(row, axis, y))
        else:
            parts.append(_curves(row, positions, axis, y))
        y += _height(row) + GAP_PX
    parts.append(_ticks(axis, unit, y))
    return _picture(parts, y + 24, "The drive from its first to its last frame")


def share_bar(values: Sequence[tuple[str, float | None]]) -> Markup:
    """Draw one thin bar for each (colour, share 0..1), for a table cell."""
    rows = "".join(
        f'<rect x="0" y="{index * 7}" width="100" height="5" class="f-line"/>'
        f'<rect x="0" y="{index * 7}" width="{(share or 0) * 100:.1f}" height="5" class="f-{colour}"/>'
        for index, (colour, share) in enumerate(values)
    )
    height = len(values) * 7 - 2
    return Markup(f'<svg class="share" viewBox="0 0 100 {height}" preserveAspectRatio="none">{rows}</svg>')


def histogram(matched: NDArray[np.int64], phantom: NDArray[np.int64], top: int, threshold: float) -> Markup:
    """Draw scores of matched detections upwards and of phantoms downwards, over 0..1, with the threshold."""
    width, half, count = 400.0, 70.0, len(matched)
    step, top = width / count, max(top, 1)
    parts = [f'<line x1="0" x2="{width}" y1="{half}" y2="{half}" class="axis"/>']
    for index, (good, bad) in enumerate(zip(matched.tolist(), phantom.tolist(), strict=True)):
        x, low, high = index * step + 1, index / count, (index + 1) / count
        for value, colour, y in ((good, "good", half - good / top * half), (bad, "phantom", half)):
            if value:
                word = "matched" if colour == "good" else "phantoms"
                parts.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{step - 2:.1f}" height="{max(value / top * half, 1):.1f}" '
                    f'class="f-{colour}"><title>{value} {word} with score {low:.2f}–{high:.2f}</title></rect>'
                )
    x = threshold * width
    parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{half * 2}" class="limit"/>')
    parts.append(f'<text x="{x + 4:.1f}" y="{half * 2 - 3:.0f}" class="small">threshold {threshold:g}</text>')
    for value in (0.0, 0.5, 1.0):
        anchor = {0.0: "start", 1.0: "end"}.get(value, "middle")
        parts.append(
            f'<text x="{value * width}" y="{half * 2 + 14}" class="small" text-anchor="{anchor}">{value}</text>'
        )
    return Markup(f'<svg viewBox="0 0 {width} {half * 2 + 18}" role="img" aria-label="Scores">{"".join(parts)}</svg>')


def svg_of(drawing: Drawing) -> Markup:
    """Render a drawing; its colours are the page's custom properties."""
    parts = "".join(_mark(mark) for mark in drawing.marks)
    return Markup(
        f'<svg class="chart" viewBox="0 0 {drawing.width:g} {drawing.height:g}" style="max-width:{drawing.width:g}px" '
        f'role="img" aria-label="{escape(drawing.label)}">{parts}</svg>'
    )


def _mark(mark: Mark) -> str:
    colour = f"var(--{mark.colour.replace('_', '-')})"
    if isinstance(mark, Word):
        weight = ";font-weight:600" if mark.is_bold else ""
        return (
            f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" text-anchor="{mark.anchor}" '
            f'style="fill:{colour};font-size:{mark.size:g}px{weight}">{escape(mark.text)}</text>'
        )
    if isinstance(mark, Block):
        hint = f"<title>{escape(mark.hint)}</title>" if mark.hint else ""
        return (
            f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" height="{mark.height:.1f}" '
            f'style="fill:{colour}">{hint}</rect>'
        )
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in mark.points)
    dash = f";stroke-dasharray:{' '.join(f'{part:g}' for part in mark.dash)}" if mark.dash else ""
    return f'<path d="{path}" style="fill:none;stroke:{colour};stroke-width:{mark.width:g}{dash}"/>'


@dataclass(frozen=True, slots=True)
class _Axis:
    first: float
    last: float

    def at(self, value: Numbers) -> Numbers:
        return LEFT + (value - self.first) / (self.last - self.first) * WIDTH


def _height(row: Bars | Spans | Curves) -> int:
    return BAND_PX if isinstance(row, Bars) else SPAN_PX if isinstance(row, Spans) else CURVE_PX


def _name(name: str, y: float, height: int) -> str:
    middle = y + height / 2 + 4
    return (
        f'<text x="{LEFT - 10}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{WIDTH}" height="{height}" class="lane"/>'
    )


def _number(text: str, y: float) -> str:
    return f'<text x="{LEFT + WIDTH + 6}" y="{y:.1f}" class="small">{escape(text)}</text>'


def _bars(row: Bars, positions: Numbers, axis: _Axis, y: float) -> str:
    """Reduce to the largest count of each pixel column."""
    columns = np.zeros(WIDTH + 1)
    places = (axis.at(positions) - LEFT).astype(np.int64)
    np.maximum.at(columns, places, row.counts)
    wide = max(1.0, WIDTH / max(len(positions), 1))
    heights = columns / max(row.top, 1.0) * BAND_PX
    path = "".join(
        f"M{LEFT + x:.0f} {y + BAND_PX}v{-heights[x]:.1f}h{min(wide, WIDTH - x):.1f}v{heights[x]:.1f}z"
        for x in np.flatnonzero(columns).tolist()
    )
    total = f"{row.counts.sum():,.0f}"
    return f'<path d="{path}" class="f-{row.colour}"/>' + _number(total, y + BAND_PX / 2 + 4)


def _spans(row: Spans, axis: _Axis, y: float) -> str:
    parts = []
    for span in row.spans:
        start, end = axis.at(np.array([span.first, span.last])).tolist()
        parts.append(
            f'<rect x="{start:.1f}" y="{y + 1}" width="{max(end - start, 2.5):.1f}" height="{SPAN_PX - 2}" rx="1.5" '
            f'class="f-{row.colour} span"><title>{escape(span.hint)}</title></rect>'
        )
    return "".join(parts) + _number(f"{len(row.spans):,}", y + SPAN_PX / 2 + 4)


def _curves(row: Curves, positions: Numbers, axis: _Axis, y: float) -> str:
    xs = axis.at(positions)
    parts = []
    for colour, values in row.curves:
        ys = y + CURVE_PX - np.clip(values / (row.top or 1.0), 0, 1) * CURVE_PX
        parts.append(f'<path d="{_path(xs, ys)}" class="curve s-{colour}"/>')
    parts.append(_number(f"{row.top:.3g} {row.unit}".strip(), y + 10))
    parts.append(_number("0", y + CURVE_PX))
    return "".join(parts)


def _path(xs: Numbers, ys: Numbers) -> str:
    """Join the points, with gaps where a value is unknown; many points become one stroke a pixel column."""
    known = ~np.isnan(ys)
    if known.sum() > WIDTH:
        columns = xs[known].astype(np.int64)
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        low, high = np.minimum.reduceat(ys[known], starts), np.maximum.reduceat(ys[known], starts)
        edges = zip(columns[starts].tolist(), low.tolist(), high.tolist(), strict=True)
        return "".join(f"M{x} {top - 0.5:.1f}V{bottom + 0.5:.1f}" for x, top, bottom in edges)
    begins = known & ~np.concatenate(([False], known[:-1]))
    points = zip(begins[known].tolist(), xs[known].tolist(), ys[known].tolist(), strict=True)
    return "".join(f"{'M' if begin else 'L'}{x:.1f} {y:.1f}" for begin, x, y in points)


def _ticks(axis: _Axis, unit: str, y: float) -> str:
    values = nice_ticks(axis.first, axis.last)
    parts = []
    for value, x in zip(values, axis.at(np.array(values)).tolist(), strict=True):
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{y}" class="grid"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 14}" class="small" text-anchor="middle">{value:g}</text>')
    parts.append(_number(unit, y + 14))
    return "".join(parts)


def nice_ticks(first: float, last: float, most: int = 10) -> list[float]:
    """Give round values inside a range: steps of 1, 2 or 5 times a power of ten."""
    rough = (last - first) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999))
    start = int(np.ceil(first / step - 1e-9))
    return [round(index * step, 10) for index in range(start, int(np.floor(last / step + 1e-9)) + 1)]


def _picture(parts: Iterable[str], height: float, label: str) -> Markup:
    width = LEFT + WIDTH + RIGHT
    return Markup(
        f'<svg class="lanes" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
