"""Turns the lanes of a timeline into pixels, without a painter: one array operation a lane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.ink import SEVERITY_COLOURS
from hilgui.gui.replay.lanes import FindingRows, Lane, Look, bars, unlabelled
from hilgui.gui.replay.series import column_edges
from hilgui.gui.theme import Theme
from hilgui.records import Severity

Pixels = NDArray[np.uint32]  # (height, width) as QImage.Format_ARGB32_Premultiplied

_SPAN_HEIGHT = {Severity.LOW: 0.4, Severity.MEDIUM: 0.7, Severity.HIGH: 1.0}
_HATCH = 7  # px from line to line
_GAP_FROM = 6.0  # px a frame: from here on frames are drawn apart


class LanePicture:
    """Paints the lanes of one drive into arrays with the colours of a theme."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def draw(
        self,
        lane: Lane,
        drive: Drive,
        rows: FindingRows,
        span: tuple[float, float],
        width: int,
        height: int,
    ) -> Pixels:
        """Draw one lane over the rows of `span` (first, end); transparent where there is nothing to say."""
        pixels = np.zeros((height, width), np.uint32)
        edges = column_edges(*span, width, len(drive))
        if len(edges) < 2 or height < 1:
            return pixels
        columns = len(edges) - 1
        if lane.look is Look.SPANS:
            assert lane.kind is not None
            self._draw_spans(pixels[:, :columns], rows.spans(lane.kind, edges).severities)
            return pixels
        drawn = bars(lane, drive, edges)
        if lane.look is Look.BARS and lane.key.startswith(("missed", "phantoms")):
            self._hatch(pixels[:, :columns], unlabelled(drive, edges))
        tops = np.round(drawn.heights * height).astype(np.int64)
        tops[(drawn.heights > 0) & (tops < 2)] = min(2, height)
        filled = np.arange(height)[::-1, None] < tops
        if width / max(span[1] - span[0], 1e-9) >= _GAP_FROM:
            filled[:, np.flatnonzero(np.diff(edges[:-1], append=edges[-1] + 1))] = False
        pixels[:, :columns][filled] = self._argb(lane.ink)
        if drawn.limit is not None:
            over = filled & (np.arange(height)[::-1, None] >= round(drawn.limit * height))
            pixels[:, :columns][over] = self._argb("missed")
            pixels[height - 1 - min(round(drawn.limit * height), height - 1), :] = self._argb("warning")
        return pixels

    def _draw_spans(self, pixels: Pixels, severities: NDArray[np.int8]) -> None:
        wide = severities.copy()
        np.maximum(wide[1:], severities[:-1], out=wide[1:])  # one frame of a long drive is still two pixels wide
        height = len(pixels)
        up = np.arange(height)[::-1, None]
        for severity, share in _SPAN_HEIGHT.items():
            area = (wide == int(severity)) & (up < max(2, round(share * height)))
            pixels[area] = self._argb(SEVERITY_COLOURS[severity])

    def _hatch(self, pixels: Pixels, where: NDArray[np.bool_]) -> None:
        height, width = pixels.shape
        lines = (np.arange(width) + np.arange(height)[:, None]) % _HATCH == 0
        pixels[lines & where] = self._argb("line_strong")

    def _argb(self, name: str) -> np.uint32:
        return np.uint32(self._theme.colour(name).rgba())
