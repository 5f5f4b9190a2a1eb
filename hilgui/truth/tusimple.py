"""TuSimple lanes: a file with one JSON object for each image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import TruthBroken
from hilgui.records.masks import LaneTruth
from hilgui.truth.fields import Flaw, finite, text
from hilgui.truth.label_file import MAX_FRAMES, broken, lines, peek, read_text
from hilgui.truth.protocol import LabelledFrame, Labels

_MAX_LANES = 64
_MAX_ROWS = 4096
_MAX_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class KnownLanes:
    """Lanes that were read already."""

    lanes: LaneTruth

    def load(self) -> LaneTruth:
        """Give them."""
        return self.lanes


class TuSimpleReader:
    """Reads the lane labels of TuSimple: `lanes` with an x for each row of `h_samples` (negative: no point).

    An image is named by `raw_file`. Lanes become polylines from near to far in pixels; boxes are unlabelled.
    """

    format: ClassVar[str] = "TuSimple"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file starts like a JSON object with lanes and rows."""
        start = peek(path, 2**16).removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(b"{") and b'"lanes"' in start and b'"h_samples"' in start

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line."""
        content, sha256 = read_text(path, limit=_MAX_BYTES)
        frames = []
        for line, row in lines(content):
            try:
                frames.append(_frame(json.loads(row)))
            except Flaw as flaw:
                raise broken(path, str(flaw), line) from flaw
            except (ValueError, RecursionError) as failure:
                raise broken(path, f"not a JSON object on one line ({str(failure)[:80]})", line) from failure
            if len(frames) > MAX_FRAMES:
                raise TruthBroken(f"{path} labels more than {MAX_FRAMES} frames; split it", path=path)
        if not frames:
            raise TruthBroken(f"{path} holds no rows; export the labels again", path=path)
        return Labels(path, cls.format, (), tuple(frames), sha256)


def _frame(row: Any) -> LabelledFrame:
    if not isinstance(row, dict):
        raise Flaw("not an object in braces")
    key = text(row, "raw_file", "the image")
    if not key:
        raise Flaw("the image has no raw_file")
    heights = _numbers(row.get("h_samples"), "h_samples")
    lanes = row.get("lanes")
    if not isinstance(lanes, list) or len(lanes) > _MAX_LANES:
        raise Flaw(f"lanes is not a list of at most {_MAX_LANES} lanes")
    found = [_line(_numbers(lane, f"lane {position}"), heights) for position, lane in enumerate(lanes)]
    return LabelledFrame(None, key, lanes=KnownLanes(LaneTruth(tuple(line for line in found if len(line) > 1))))


def _numbers(value: Any, where: str) -> NDArray[np.float64]:
    if not isinstance(value, list) or len(value) > _MAX_ROWS:
        raise Flaw(f"{where} is not a list of at most {_MAX_ROWS} numbers")
    return np.array([finite(each, where) for each in value], np.float64)


def _line(across: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give (P, 2) x y from the lowest row up."""
    if len(across) != len(heights):
        raise Flaw(f"a lane has {len(across)} points where h_samples has {len(heights)}")
    there = across >= 0
    points = np.column_stack([across[there], heights[there]])
    line: NDArray[np.float32] = points[np.argsort(-points[:, 1], kind="stable")].astype(np.float32)
    line.flags.writeable = False
    return line
