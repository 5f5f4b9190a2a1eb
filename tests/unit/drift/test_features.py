"""Features of the network among the figures: compared together, never one by one."""

from __future__ import annotations

import numpy as np

from hilgui.drift import Monitor, Origin, Sample, calibrate, make_reference

NAMES = ("brightness", *(f"baseline.feature:{place:02d}" for place in range(5)))


def sample(seed: int, shift: float = 0.0) -> Sample:
    values = np.random.default_rng(seed).standard_normal((1500, len(NAMES)))
    values[:, 1:] += shift
    seqs = np.arange(len(values))
    return Sample(NAMES, values, seqs, seqs / 20.0, (len(values),))


def alarms(now: Sample) -> set[tuple[str, str]]:
    reference = make_reference(sample(1), (Origin("made", "", 1500),), {"baseline": "a"}, created="", version="")
    assert reference.fitting({"baseline": "b"}).names == ("brightness",)
    known = calibrate(reference, rate=0.05, windows=1, window=100)
    assert known.figures == ("brightness",)
    assert set(known.groups) == {"picture", "baseline features"}
    monitor = Monitor(known)
    for seq, row in enumerate(now.values.tolist()):
        monitor.add(seq, seq / 20.0, dict(zip(NAMES, row, strict=True)))
    return {(one.figure, one.statistic) for one in monitor.looks[0].alarms}


def test_features_that_moved_are_found_by_mmd_alone() -> None:
    assert alarms(sample(2, shift=1.0)) == {("baseline features", "mmd")}


def test_features_that_stayed_are_no_alarm() -> None:
    assert alarms(sample(3)) == set()
