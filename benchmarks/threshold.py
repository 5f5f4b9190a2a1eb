"""Measure the threshold slider: ms from a new position to all rates of both models, against judging the run again.

    python benchmarks/threshold.py RUN_FOLDER

Limit: 50 ms for a demo drive. The rates at the same threshold must be the same both ways.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hilgui.report.evaluate import Changes
from hilgui.report.measured import Measure, Measured, at_threshold
from hilgui.report.protocol import silent

LIMIT_MS = 50.0
STEPS = 100  # of the slider
TRIED = 0.25
RATES = ("recall", "precision", "f1")


def main() -> int:
    """Print the measurements; 1 where the limit is not kept or the rates differ."""
    folder = Path(sys.argv[1])
    measured = Measure(folder, Changes())({}, silent)
    steps = []
    for step in range(STEPS + 1):
        began = time.perf_counter()
        at_threshold(measured, step / STEPS)
        steps.append((time.perf_counter() - began) * 1e3)
    began = time.perf_counter()
    again = Measure(folder, Changes(threshold=TRIED))({}, silent)
    again_ms = (time.perf_counter() - began) * 1e3
    slid = at_threshold(measured, TRIED)
    middle, worst = sorted(steps)[STEPS // 2], max(steps)
    same = rates(slid) == rates(again)
    print(f"a position of the slider: {middle:.2f} ms, worst of {STEPS + 1} {worst:.2f} ms; limit {LIMIT_MS:.0f} ms")
    print(f"judging {measured.frames} frames again: {again_ms:.0f} ms, {again_ms / middle:.0f} times as long")
    print(f"rates at {TRIED} are the same both ways: {'yes' if same else 'no'}")
    return int(worst > LIMIT_MS or not same)


def rates(measured: Measured) -> dict[str, float | None]:
    """Give what the slider changes, of all classes together."""
    return {
        f"{role.value} {name}": None if figures[name].value is None else round(float(figures[name].value or 0.0), 9)
        for role, figures in measured.figures.items()
        for name in RATES
    }


if __name__ == "__main__":
    raise SystemExit(main())
