"""Invalid output: a model gives rows that are no boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Kind, Moment, Role, Severity


class InvalidOutput:
    """Reports frames on which a number of the output was not finite, or a box had no area.

    Such rows are dropped before anything else looks at them. HIGH where nothing is left.
    """

    kind: ClassVar[Kind] = Kind.INVALID_OUTPUT
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        pass

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit for each model."""
        return [
            self._hit(role, inference.invalid, len(inference.detections), moment.ref.seq)
            for role, inference in moment.inferences.items()
            if inference.invalid
        ]

    def _hit(self, role: Role, invalid: int, left: int, seq: int) -> Hit:
        rows = "1 row that is no box" if invalid == 1 else f"{invalid} rows that are no boxes"
        return Hit(
            kind=self.kind,
            seq=seq,
            thread="",
            severity=Severity.MEDIUM if left else Severity.HIGH,
            weight=float(invalid),
            why=f"the {role} gives {rows} for {DURATION}: not finite, or without width or height; "
            f"{left} are left on this frame",
            role=role,
            evidence={"invalid": float(invalid), "left": float(left)},
        )
