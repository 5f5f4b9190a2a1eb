"""False alarms of the drift monitor on streams without drift, and how soon a shift is found.

    python benchmarks/drift.py [--streams 200] [--rate .05] [--windows 10] [--only features]

Streams of three figures that hang together over time (AR(1), one of them skewed), and samples of 64 features where the
row says so, each with a reference of its own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from hilgui.drift import (
    Calibration,
    Monitor,
    Origin,
    Reference,
    Sample,
    calibrate,
    divided,
    make_reference,
    usual_window,
)

NAMES = ("brightness", "contrast", "sharpness")
FEATURES = tuple(f"baseline.feature:{place:02d}" for place in range(64))


@dataclass(frozen=True, slots=True)
class Kind:
    """How frames of a simulated stream hang together, and how many make the reference."""

    name: str
    memory: float  # of the AR(1) process
    frames: int
    samples: int = 0  # of features; 0: none are compared


KINDS = (
    Kind("independent frames", 0.0, 2000),
    Kind("alike over 9 frames", 0.8, 3000),
    Kind("alike over 39 frames", 0.95, 4000),
    Kind("alike over 39 frames, short reference", 0.95, 1200),
    Kind("with features, independent samples", 0.0, 2000, 240),
    Kind("with features, alike over 9 samples", 0.8, 3000, 480),
    Kind("with features, alike over 9, short reference", 0.8, 1200, 120),
)


def stream(rng: np.random.Generator, memory: float, frames: int) -> NDArray[np.float64]:
    """Make (frames, 3): two Gaussian AR(1) figures that go together and one that is skewed."""
    noise = rng.standard_normal((frames + 500, 3)) * np.sqrt(1 - memory**2)
    noise[:, 1] = 0.7 * noise[:, 0] + np.sqrt(1 - 0.49) * noise[:, 1]
    values = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    values[:, 2] = np.exp(0.5 * values[:, 2])
    return values


def features(rng: np.random.Generator, memory: float, samples: int) -> NDArray[np.float64]:
    """Make (samples, 64): features that follow six things of the scene (AR(1)), and noise of their own."""
    loads = np.random.default_rng(64).standard_normal((6, 64))  # the network is always the same
    noise = rng.standard_normal((samples + 500, 6)) * np.sqrt(1 - memory**2)
    scene = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    return scene @ loads + rng.standard_normal((samples, 64))


def reference_of(values: NDArray[np.float64], names: tuple[str, ...], per_s: float = 0.0) -> Reference:
    """Make a reference of one drive."""
    seqs = np.arange(len(values))
    sample = Sample(names, values, seqs, seqs / (per_s or 20.0), (len(values),))
    return make_reference(sample, (Origin("made", "", len(values)),), {}, created="", version="", per_s=per_s)


def alarms(kind: Kind, seed: int, *, rate: float, windows: int, shift: float = 0.0) -> tuple[int | None, set[str]]:
    """Watch one stream; give the first window with an alarm, counted from 1, and the statistics that raised one."""
    rng = np.random.default_rng(seed)
    rates = divided(rate, has_features=kind.samples > 0)
    reference = reference_of(stream(rng, kind.memory, kind.frames), NAMES)
    known = calibrate(reference, rate=rates[0], windows=windows, window=usual_window(reference), seed=seed)
    first, found = watched(known, stream(rng, kind.memory, windows * known.window_frames) + shift)
    if kind.samples:
        reference = reference_of(features(rng, kind.memory, kind.samples), FEATURES, per_s=2.0)
        known = calibrate(reference, rate=rates[1], windows=windows, window=usual_window(reference), seed=seed)
        now = features(rng, kind.memory, windows * known.window_frames) + shift * np.sqrt(7.0)
        other, more = watched(known, now)
        first = min(filter(None, (first, other)), default=None)
        found |= {f"{name} of features" for name in more}
    return first, found


def watched(known: Calibration, values: NDArray[np.float64]) -> tuple[int | None, set[str]]:
    """Watch figures of one kind; give what `alarms` gives."""
    monitor, found, first = Monitor(known), set[str](), None
    for seq, row in enumerate(values.tolist()):
        look = monitor.add(seq, seq / 20.0, dict(zip(known.reference.names, row, strict=True)))
        if look is not None:
            found |= {one.statistic for one in look.alarms}
            first = len(monitor.looks) if look.alarms and first is None else first
    return first, found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    given = parser.parse_args()
    false_alarms = f"false alarms of {given.streams}, stated {given.rate:.0%}"
    print(f"| stream | reference | {false_alarms} | by | 2.5 deviations: found in the first window |")
    print("|---|---|---|---|---|")
    for kind in (kind for kind in KINDS if given.only in kind.name):
        runs = [alarms(kind, seed, rate=given.rate, windows=given.windows) for seed in range(given.streams)]
        false = sum(first is not None for first, _ in runs)
        by = sorted({name for _, names in runs for name in names})
        shifted = [alarms(kind, 10_000 + seed, rate=given.rate, windows=1, shift=2.5)[0] for seed in range(50)]
        found = sum(first == 1 for first in shifted) / 50
        told = ", ".join(by) or "–"
        size = f"{kind.frames}, {kind.samples} samples" if kind.samples else str(kind.frames)
        print(
            f"| {kind.name} | {size} | {false} ({false / given.streams:.1%}) | {told} | {found:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
