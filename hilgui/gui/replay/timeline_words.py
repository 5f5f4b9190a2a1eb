"""What the timeline says about the frames under the cursor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hilgui.gui.replay.account import score_text
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.lanes import Lane
from hilgui.gui.replay.series import Series
from hilgui.records import Role

_MOST_FINDINGS = 4


def told(drive: Drive, first: int, last: int, lane: Lane | None) -> str:
    """Tell time and counts of the rows from `first` to `last`; of several rows, the worst."""
    return "\n".join(_lines(drive, first, max(last, first), lane))


def _lines(drive: Drive, first: int, last: int, lane: Lane | None) -> Iterator[str]:
    frames = f"frame {drive.seq_at(first)}"
    if last > first:
        frames = f"frames {drive.seq_at(first)}–{drive.seq_at(last)}"
    yield f"{drive.place(first)} · {frames}" if drive.has_time else frames
    if lane is not None and lane.kind is not None:
        yield from _findings(drive, first, last, lane)
    fate = drive.fate.values[first : last + 1]
    dropped, skipped = int(np.count_nonzero(fate == 1)), int(np.count_nonzero(fate == 2))
    if dropped or skipped:
        yield f"{dropped} dropped, {skipped} skipped"
    if drive.header.truth is not None:
        if not drive.with_truth.values[first : last + 1].any():
            yield "no labels here: not judged"
        else:
            up_to = "up to " if last > first else ""
            for word, name in (("missed", "missed"), ("phantoms", "phantoms")):
                counts = [
                    f"{role.value} {_most(getattr(series, name), first, last):.0f}"
                    for role, series in drive.roles.items()
                ]
                yield f"{word}: {up_to}{', '.join(counts)}"
    if Role.CANDIDATE in drive.roles:
        differs = _most(drive.disagreement, first, last)
        yield f"disagreement {score_text(differs)}" if not np.isnan(differs) else "disagreement –"
    latencies = [f"{role.value} {_most(series.latency_ms, first, last):.1f} ms" for role, series in drive.roles.items()]
    yield f"latency: {', '.join(latencies)}".replace("nan ms", "–")


def _findings(drive: Drive, first: int, last: int, lane: Lane) -> Iterator[str]:
    begin, end = drive.seq_at(first), drive.seq_at(last)
    here = [
        finding
        for finding in drive.findings
        if finding.kind is lane.kind and finding.first_seq <= end and finding.last_seq >= begin
    ]
    here.sort(key=lambda finding: -finding.severity)
    for finding in here[:_MOST_FINDINGS]:
        yield f"{finding.severity.label} {finding.kind.value}: {finding.why}"
    if len(here) > _MOST_FINDINGS:
        yield f"and {len(here) - _MOST_FINDINGS} more"


def _most(series: Series, first: int, last: int) -> float:
    values = series.values[first : last + 1]
    return float(np.fmax.reduce(values)) if len(values) else float("nan")
