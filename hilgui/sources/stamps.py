"""The clock of a camera, put on the monotonic clock of this machine."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

_DRIFT_PPM = 200  # clocks of cameras differ by less
_KNOWN = 5  # steps before the usual one is believed
_SEVERAL = 1.6  # a step of this many usual ones holds a frame that never came
_JUMP_NS = 1_000_000_000  # a stamp this far from where the arrival puts it is wrong


@dataclass(frozen=True, slots=True)
class Placed:
    """When a picture was taken, and what is wrong with its stamp."""

    captured_ns: int  # monotonic
    missing: int = 0  # pictures between this one and the one before that never came
    wrong: str = ""  # reads after "a frame" or "3 frames"; "" where the stamp is sound


class Stamps:
    """Places pictures in time by the driver's stamps, or by their arrival where it gives none.

    A camera's own clock is tied to ours by the quickest arrival seen so far, which lets go slowly, as clocks drift. A
    stamp that runs backwards or jumps is wrong, and the clock is tied anew, so that a camera that was reset loses one
    frame. Stamps that already are on our clock (`is_ours`) are taken as they are.
    """

    def __init__(self, *, is_ours: bool = False) -> None:
        self._is_ours = is_ours
        self._last_ns: int | None = None
        self._last_arrival_ns = 0
        self._offset_ns: float | None = None
        self._steps: deque[int] = deque(maxlen=15)

    def forget(self) -> None:
        """Begin anew: the camera was away."""
        self._last_ns, self._offset_ns = None, None
        self._steps.clear()

    def place(self, stamp_ns: int | None, arrival_ns: int) -> Placed:
        """Place the next picture; `stamp_ns` is on the driver's clock."""
        if stamp_ns is None:
            return Placed(arrival_ns)
        before, self._last_ns = self._last_ns, stamp_ns
        waited_ns, self._last_arrival_ns = arrival_ns - self._last_arrival_ns, arrival_ns
        if before is None:
            self._offset_ns = None
            return Placed(self._tied(stamp_ns, arrival_ns, 0))
        step = stamp_ns - before
        if step <= 0 or step > waited_ns + _JUMP_NS:
            self._offset_ns = None
            wrong = "came with a stamp that jumps ahead" if step > 0 else "came with a stamp that runs backwards"
            return Placed(self._tied(stamp_ns, arrival_ns, 0), 0, wrong)
        usual = median(self._steps) if len(self._steps) >= _KNOWN else None
        self._steps.append(step)
        missing = 0 if usual is None or step < _SEVERAL * usual else round(step / usual) - 1
        return Placed(self._tied(stamp_ns, arrival_ns, step), missing)

    def _tied(self, stamp_ns: int, arrival_ns: int, step_ns: int) -> int:
        if self._is_ours:
            return min(stamp_ns, arrival_ns)
        offset = float(arrival_ns - stamp_ns)
        if self._offset_ns is not None:
            offset = min(offset, self._offset_ns + step_ns * _DRIFT_PPM / 1e6)
        self._offset_ns = offset
        return stamp_ns + round(offset)
