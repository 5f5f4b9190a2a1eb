"""Simulated streams of figures that hang together over time, and how often a monitor raises a false alarm on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binom

from hilgui.drift import Monitor, Origin, Reference, Sample, calibrate, divided, make_reference, usual_window

NAMES = ("brightness", "contrast", "sharpness")
FEATURES = tuple(f"baseline.feature:{place:02d}" for place in range(64))


@dataclass(frozen=True, slots=True)
class Kind:
    """How frames hang together (an AR(1) process), and how many make the reference."""

    name: str
    memory: float
    frames: int
    samples: int = 0  # of features; 0: none are compared


def stream(rng: np.random.Generator, memory: float, frames: int) -> NDArray[np.float64]:
    """Make (frames, 3): two Gaussian figures that go together and one that is skewed."""
    noise = rng.standard_normal((frames + 500, 3)) * np.sqrt(1 - memory**2)
    noise[:, 1] = 0.7 * noise[:, 0] + np.sqrt(1 - 0.49) * noise[:, 1]
    values = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    values[:, 2] = np.exp(0.5 * values[:, 2])
    return values


def features(rng: np.random.Generator, memory: float, samples: int) -> NDArray[np.float64]:
    """Make (samples, 64): features that follow six things of the scene, and noise of their own."""
    loads = np.random.default_rng(64).standard_normal((6, 64))  # the network is always the same
    noise = rng.standard_normal((samples + 500, 6)) * np.sqrt(1 - memory**2)
    scene = np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0), np.float64)[500:]
    return scene @ loads + rng.standard_normal((samples, 64))


def reference_of(values: NDArray[np.float64], names: tuple[str, ...] = NAMES, per_s: float = 0.0) -> Reference:
    seqs = np.arange(len(values))
    sample = Sample(names, values, seqs, seqs / (per_s or 20.0), (len(values),))
    return make_reference(sample, (Origin("made", "", len(values)),), {}, created="", version="", per_s=per_s)


def first_alarm(kind: Kind, seed: int, *, rate: float, windows: int, shift: float = 0.0) -> int | None:
    """Watch one stream with a reference of its own; give the window of the first alarm, counted from 1."""
    rng = np.random.default_rng(seed)
    rates = divided(rate, has_features=kind.samples > 0)
    reference = reference_of(stream(rng, kind.memory, kind.frames))
    known = calibrate(reference, rate=rates[0], windows=windows, window=usual_window(reference), seed=seed)
    now = stream(rng, kind.memory, windows * known.window_frames) + shift
    found = _first_alarm(Monitor(known), now)
    if kind.samples:
        reference = reference_of(features(rng, kind.memory, kind.samples), FEATURES, per_s=2.0)
        known = calibrate(reference, rate=rates[1], windows=windows, window=usual_window(reference), seed=seed)
        now = features(rng, kind.memory, windows * known.window_frames) + shift * np.sqrt(7.0)
        found = min(filter(None, (found, _first_alarm(Monitor(known), now))), default=None)
    return found


def _first_alarm(monitor: Monitor, values: NDArray[np.float64]) -> int | None:
    names = monitor.calibration.reference.names
    for seq, row in enumerate(values.tolist()):
        look = monitor.add(seq, seq / 20.0, dict(zip(names, row, strict=True)))
        if look is not None and look.alarms:
            return len(monitor.looks)
    return None


def most_by_chance(streams: int, rate: float, sure: float = 0.999) -> int:
    """Give how many false alarms a rate that is exactly the stated one stays within, so surely."""
    return int(binom.ppf(sure, streams, rate))
