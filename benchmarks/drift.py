"""False alarms of the drift monitor on streams without drift, and how soon a shift is found.

    python benchmarks/drift.py [--streams 200] [--rate .05] [--windows 10]

Streams of three figures that hang together over time (AR(1), one of them skewed), each with a reference of its own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from hilgui.drift import Monitor, Sample, calibrate, make_reference, usual_window
from hilgui.drift.reference import Origin

NAMES = ("brightness", "contrast", "sharpness")


@dataclass(frozen=True, slots=True)
class Kind:
    """How frames of a simulated stream hang together, and how many make the reference."""

    name: str
    memory: float  # of the AR(1) process
    frames: int


KINDS = (
    Kind("independent frames", 0.0, 2000),
    Kind("alike over 9 frames", 0.8, 3000),
    Kind("alike over 39 frames", 0.95, 4000),
    Kind("alike over 39 frames, short reference", 0.95, 1200),
)


def stream(rng: np.random.Generator, memory: float, frames: int) -> NDArray[np.float64]:
    """Make (frames, 3): two Gaussian AR(1) figures that go together and one that is skewed."""
    noise = rng.standard_normal((frames + 500, 3)) * np.sqrt(1 - memory**2)
    noise[:, 1] = 0.7 * noise[:, 0] + np.sqrt(1 - 0.49) * noise[:, 1]
    values = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    values[:, 2] = np.exp(0.5 * values[:, 2])
    return values


def sample(values: NDArray[np.float64]) -> Sample:
    """Make a sample of one drive."""
    seqs = np.arange(len(values))
    return Sample(NAMES, values, seqs, seqs / 20.0, (len(values),))


def alarms(kind: Kind, seed: int, *, rate: float, windows: int, shift: float = 0.0) -> tuple[int | None, set[str]]:
    """Watch one stream; give the first window with an alarm, counted from 1, and the statistics that raised one."""
    rng = np.random.default_rng(seed)
    values = stream(rng, kind.memory, kind.frames)
    reference = make_reference(sample(values), (Origin("made", "", kind.frames),), {}, created="", version="")
    calibration = calibrate(reference, rate=rate, windows=windows, window=usual_window(reference), seed=seed)
    monitor = Monitor(calibration)
    now = stream(rng, kind.memory, windows * calibration.window_frames) + shift
    found, looks = set(), 0
    first = None
    for seq, row in enumerate(now.tolist()):
        look = monitor.add(seq, seq / 20.0, dict(zip(NAMES, row, strict=True)))
        if look is not None:
            looks += 1
            found |= {one.statistic for one in look.alarms}
            first = looks if look.alarms and first is None else first
    return first, found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--windows", type=int, default=10)
    given = parser.parse_args()
    false_alarms = f"false alarms of {given.streams}, stated {given.rate:.0%}"
    print(f"| stream | reference | {false_alarms} | by | 2.5 deviations: found in the first window |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        runs = [alarms(kind, seed, rate=given.rate, windows=given.windows) for seed in range(given.streams)]
        false = sum(first is not None for first, _ in runs)
        by = sorted({name for _, names in runs for name in names})
        shifted = [alarms(kind, 10_000 + seed, rate=given.rate, windows=1, shift=2.5)[0] for seed in range(50)]
        found = sum(first == 1 for first in shifted) / 50
        told = ", ".join(by) or "–"
        print(
            f"| {kind.name} | {kind.frames} | {false} ({false / given.streams:.1%}) | {told} | {found:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
