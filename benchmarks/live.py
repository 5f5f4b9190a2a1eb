"""Times sessions with a camera that is a rehearsed drive: drops, latency, processor time, what shadow mode adds.

    python benchmarks/live.py [--drive D] [--baseline M] [--candidate M] [--seconds S] [--rounds R] [--record]

Each round runs the baseline alone, then baseline and candidate. Latency is from the moment that the frame was taken
(by its stamp) to the judged result, inference from the baseline's own three stages. The medians over the rounds are
printed. Without arguments: the shipped night drive through the shipped models.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment, Role
from hilgui.resources import shipped
from hilgui.settings import load_settings
from hilgui.store import RunReader


@dataclass(frozen=True)
class Session:
    """What one session measured."""

    captured: int
    dropped: int
    candidate_skipped: int
    latency_ms: tuple[float, float]  # p50, p99 of capture to result
    inference_ms: tuple[float, float]  # the same of the baseline's three stages
    cpu_percent: float
    notes: tuple[str, ...]


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
        latency_ms=_p50_p99(latency),
        inference_ms=_p50_p99(inference),
        cpu_percent=100 * cpu / spent,
        notes=tuple(note for note in prepared.notes if note.startswith("live:")),
    )


def _p50_p99(values: list[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(values, (50, 99)) if values else (float("nan"), float("nan"))
    return float(p50), float(p99)


def main() -> None:
    """Run the rounds and print the medians."""
    demo = shipped("assets/demo")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drive", type=Path, default=demo / "night.mp4")
    parser.add_argument("--baseline", type=Path, default=demo / "baseline.onnx")
    parser.add_argument("--candidate", type=Path, default=demo / "candidate.onnx")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="record the sessions as well")
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as in the engine process
    cv2.setNumThreads(1)
    kinds: dict[str, list[Session]] = {"alone": [], "shadow": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            for kind, sessions in kinds.items():
                plan = RunPlan(
                    source=Path(f"camera:rehearsal:{given.drive.resolve()}"),
                    baseline=given.baseline,
                    candidate=given.candidate if kind == "shadow" else None,
                    out=Path(folder) / f"{number}-{kind}",
                    settings=load_settings(file=Path(folder) / "none.toml", environment={}, disk_reserve_mb=0),
                    provider="cpu",
                    duration_s=given.seconds,
                    record=given.record,
                )
                sessions.append(session(plan))
    print(f"{given.drive.name} as a camera, baseline {given.baseline.stem}, candidate {given.candidate.stem}")
    for note in kinds["alone"][0].notes:
        print(note)
    print("         captured  dropped  skipped   to result p50   p99 ms   baseline p50   p99 ms   CPU %")
    for kind, sessions in kinds.items():
        middle = [
            statistics.median(values)
            for values in zip(
                *(
                    (
                        each.captured,
                        each.dropped,
                        each.candidate_skipped,
                        *each.latency_ms,
                        *each.inference_ms,
                        each.cpu_percent,
                    )
                    for each in sessions
                ),
                strict=True,
            )
        ]
        captured, dropped, skipped, *times, cpu = middle
        print(
            f"{kind:8} {captured:8.0f} {dropped:8.0f} {skipped:8.0f}   {times[0]:13.1f} {times[1]:8.1f}"
            f"   {times[2]:12.1f} {times[3]:8.1f}   {cpu:5.0f}"
        )
    p99 = [statistics.median(each.inference_ms[1] for each in sessions) for sessions in kinds.values()]
    p50 = [statistics.median(each.inference_ms[0] for each in sessions) for sessions in kinds.values()]
    print(f"the candidate adds {100 * (p99[1] / p99[0] - 1):+.1f} % to the baseline's p99, ", end="")
    print(f"{100 * (p50[1] / p50[0] - 1):+.1f} % to its median")


if __name__ == "__main__":
    main()
