"""Simulated streams of figures that hang together over time, and how often a monitor raises a false alarm on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binom

from hilgui.drift import Monitor, Origin, Reference, Sample, calibrate, make_reference, usual_window

NAMES = ("brightness", "contrast", "sharpness")


@dataclass(frozen=True, slots=True)
class Kind:
    """How frames hang together (an AR(1) process), and how many make the reference."""

    name: str
    memory: float
    frames: int


def stream(rng: np.random.Generator, memory: float, frames: int) -> NDArray[np.float64]:
    """Make (frames, 3): two Gaussian figures that go together and one that is skewed."""
    noise = rng.standard_normal((frames + 500, 3)) * np.sqrt(1 - memory**2)
    noise[:, 1] = 0.7 * noise[:, 0] + np.sqrt(1 - 0.49) * noise[:, 1]
    values = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    values[:, 2] = np.exp(0.5 * values[:, 2])
    return values


def reference_of(values: NDArray[np.float64]) -> Reference:
    seqs = np.arange(len(values))
    sample = Sample(NAMES, values, seqs, seqs / 20.0, (len(values),))
    return make_reference(sample, (Origin("made", "", len(values)),), {}, created="", version="")


def first_alarm(kind: Kind, seed: int, *, rate: float, windows: int, shift: float = 0.0) -> int | None:
    """Watch one stream with a reference of its own; give the window of the first alarm, counted from 1."""
    rng = np.random.default_rng(seed)
    reference = reference_of(stream(rng, kind.memory, kind.frames))
    known = calibrate(reference, rate=rate, windows=windows, window=usual_window(reference), seed=seed)
    monitor = Monitor(known)
    for seq, row in enumerate((stream(rng, kind.memory, windows * known.window_frames) + shift).tolist()):
        look = monitor.add(seq, seq / 20.0, dict(zip(NAMES, row, strict=True)))
        if look is not None and look.alarms:
            return len(monitor.looks)
    return None


def most_by_chance(streams: int, rate: float, sure: float = 0.999) -> int:
    """Give how many false alarms a rate that is exactly the stated one stays within, so surely."""
    return int(binom.ppf(sure, streams, rate))
