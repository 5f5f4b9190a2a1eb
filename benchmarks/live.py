"""Times sessions with a camera that is a rehearsed drive: drops, latency, processor time, what shadow mode adds.

    python benchmarks/live.py [--drive D] [--baseline M] [--candidate M] [--seconds S] [--rounds R] [--record]
    python benchmarks/live.py --sides 640 320 [--seconds S] [--rounds R]

Each round is a pair: the baseline alone, then baseline and candidate, every second round the other way about. Latency
is from the moment that the frame was taken (by its stamp) to the judged result, inference from the baseline's own
three stages. Quantiles are those of all frames of all rounds. What the candidate adds to the p99 is printed of all
frames and of each pair, beside what lies between one session alone and the next: less than that cannot be told.
Without arguments: the shipped night drive through the shipped models; `--sides`: made detectors of YOLOv8n's size.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from decode import make_video
from replay import Case, made_case

from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment, Role
from hilgui.resources import shipped
from hilgui.settings import load_settings
from hilgui.store import RunReader

_RATE = 30  # frames a second of a made drive
_SCORED = 30  # frames on which the threshold of a made detector is chosen


@dataclass(frozen=True)
class Session:
    """What one session measured."""

    captured: int
    dropped: int
    candidate_skipped: int
    latency_ms: list[float]  # of each frame, capture to result
    inference_ms: list[float]  # the same of the baseline's three stages
    cpu_percent: float
    notes: tuple[str, ...]

    @property
    def p99_ms(self) -> float:
        """Give what 99 of 100 frames took the baseline at most."""
        return float(np.percentile(self.inference_ms, 99))


def session(plan: RunPlan) -> Session:
    """Run one session; frames of the first half second are warm-up."""
    latency, inference = [], []

    def seen(frame: Frame, moment: Moment) -> None:
        if frame.ref.time_s > 0.5:
            latency.append((time.monotonic_ns() - frame.ref.captured_ns) / 1e6)
            inference.append(moment.inferences[Role.BASELINE].latency_ms)

    prepared = prepare(plan)
    try:
        run = Run(prepared, Watchers(lambda _: None, seen))
        started, cpu = time.perf_counter(), time.process_time()
        run.execute()
        spent, cpu = time.perf_counter() - started, time.process_time() - cpu
    finally:
        prepared.close()
    reader = RunReader(run.folder)
    ledger = reader.ledger
    reader.close()
    return Session(
        captured=ledger.captured,
        dropped=ledger.dropped,
        candidate_skipped=ledger.candidate_skipped,
        latency_ms=latency,
        inference_ms=inference,
        cpu_percent=100 * cpu / spent,
        notes=tuple(note for note in prepared.notes if note.startswith("live:")),
    )


def measure(case: Case, folder: Path, given: argparse.Namespace) -> None:
    """Run the pairs of a case and print."""
    alone: list[Session] = []
    shadow: list[Session] = []
    for number in range(given.rounds):
        for sessions in (alone, shadow) if number % 2 == 0 else (shadow, alone):
            plan = RunPlan(
                source=Path(f"camera:rehearsal:{case.drive.resolve()}"),
                baseline=case.baseline,
                candidate=case.candidate if sessions is shadow else None,
                out=folder / f"{time.monotonic_ns()}",
                settings=load_settings(file=folder / "none.toml", environment={}, disk_reserve_mb=0),
                provider="cpu",
                duration_s=given.seconds,
                record=given.record,
            )
            sessions.append(session(plan))
    assert case.candidate is not None
    print(f"\n{case.drive.name} as a camera, baseline {case.baseline.stem}, candidate {case.candidate.stem}")
    for note in alone[0].notes:
        print(note)
    print("         captured  dropped  skipped   to result p50   p99 ms   baseline p50   p99 ms   CPU %")
    show("alone", alone)
    show("shadow", shadow)
    for name, share in (("median", 50), ("p99", 99)):
        before, beside = (np.percentile(joined(sessions), share) for sessions in (alone, shadow))
        print(f"the candidate adds {100 * (beside / before - 1):+.1f} % to the baseline's {name} of all frames")
    added = [100 * (beside.p99_ms / before.p99_ms - 1) for before, beside in zip(alone, shadow, strict=True)]
    print(f"  p99, each pair: median {statistics.median(added):+.1f} % ({listed(added)})")
    if len(alone) > 1:
        noise = [100 * (after.p99_ms / before.p99_ms - 1) for before, after in pairwise(alone)]
        print(f"  p99, one session alone and the next: {listed(noise)}")


def show(kind: str, sessions: list[Session]) -> None:
    """Print one row: medians of the counts, quantiles of all frames."""
    captured, dropped, skipped, cpu = (
        statistics.median(values)
        for values in zip(
            *((each.captured, each.dropped, each.candidate_skipped, each.cpu_percent) for each in sessions),
            strict=True,
        )
    )
    latency = np.percentile([value for each in sessions for value in each.latency_ms], (50, 99))
    inference = np.percentile(joined(sessions), (50, 99))
    print(
        f"{kind:8} {captured:8.0f} {dropped:8.0f} {skipped:8.0f}   {latency[0]:13.1f} {latency[1]:8.1f}"
        f"   {inference[0]:12.1f} {inference[1]:8.1f}   {cpu:5.0f}"
    )


def joined(sessions: list[Session]) -> list[float]:
    """Give the baseline's times of all sessions."""
    return [value for each in sessions for value in each.inference_ms]


def listed(percents: list[float]) -> str:
    """Write percents with their signs."""
    return ", ".join(f"{each:+.1f}" for each in percents)


def main() -> None:
    """Make what is asked for, measure, print."""
    demo = shipped("assets/demo")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drive", type=Path, default=demo / "night.mp4")
    parser.add_argument("--baseline", type=Path, default=demo / "baseline.onnx")
    parser.add_argument("--candidate", type=Path, default=demo / "candidate.onnx")
    parser.add_argument("--sides", type=int, nargs="*", help="sides of made detectors, on a made drive")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--record", action="store_true", help="record the sessions as well")
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as in the engine process
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.sides is None:
            measure(Case("", given.drive, given.baseline, given.candidate, None), folder, given)
            return
        short = make_video(folder / "short.mp4", frames=_SCORED)
        drive = make_video(folder / "made.mp4", frames=round(_RATE * given.seconds), rate=_RATE)
        for side in given.sides:
            case = made_case(folder, side, short, shadow=True)
            measure(Case(case.name, drive, case.baseline, case.candidate, None), folder, given)


if __name__ == "__main__":
    main()
