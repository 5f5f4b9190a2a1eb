"""Features of the network: sampled, in a reference of their own, compared together, never one by one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hilgui.drift import (
    Monitor,
    Reference,
    Turns,
    calibrate,
    divided,
    feature_figures,
    read_reference,
    usual_window,
    write_reference,
)
from hilgui.errors import StoreBroken
from hilgui.records import FeatureSample, Role
from tests.unit.drift.streams import FEATURES, features, reference_of, stream
from tests.unit.store import rows

FRAMES = reference_of(stream(np.random.default_rng(1), 0.0, 1000))
SAMPLED = reference_of(features(np.random.default_rng(2), 0.5, 300), FEATURES, per_s=2.0)
BOTH = replace(FRAMES, features=replace(SAMPLED, models={"baseline": "a"}), models={"baseline": "a"})


def alarms(seed: int, shift: float) -> list[set[tuple[str, str]]]:
    window = usual_window(SAMPLED)
    known = calibrate(SAMPLED, rate=divided(0.05, has_features=True)[1], windows=3, window=window)
    assert (known.figures, set(known.groups)) == ((), {"baseline features"})
    monitor = Monitor(known)
    now = features(np.random.default_rng(seed), 0.5, 3 * known.window_frames) + shift
    for seq, row in enumerate(now.tolist()):
        monitor.add(seq, seq / 2.0, dict(zip(FEATURES, row, strict=True)))
    return [{(one.figure, one.statistic) for one in look.alarms} for look in monitor.looks]


def test_features_that_moved_are_found_by_mmd_in_every_window() -> None:
    assert alarms(3, shift=4.0) == [{("baseline features", "mmd")}] * 3


def test_features_that_stayed_are_no_alarm() -> None:
    assert alarms(4, shift=0.0) == [set()] * 3


def test_figures_and_features_share_the_stated_rate() -> None:
    assert sum(divided(0.05, has_features=True)) == pytest.approx(0.05)
    assert divided(0.05, has_features=False) == (0.05, 0.0)


def test_a_reference_keeps_its_features_in_the_file_and_those_of_another_model_fall_away(tmp_path: Path) -> None:
    write_reference(tmp_path / "day.json", BOTH)
    read = read_reference(tmp_path / "day.json")
    assert read == BOTH
    assert read.fitting({"baseline": "a"}).features == BOTH.features
    assert read.fitting({"baseline": "b"}).features is None


def damaged(**changes: object) -> Reference:
    assert BOTH.features is not None
    return replace(BOTH, features=replace(BOTH.features, **changes))  # type: ignore[arg-type]  # damaged on purpose


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (damaged(per_s=0.0), "no samples of features"),
        (damaged(features=SAMPLED), "no samples of features"),
        (damaged(kept=7), "blocks make no sense|whole blocks"),
        (replace(SAMPLED, per_s=0.0), "features of every frame"),
    ],
)
def test_a_reference_whose_features_make_no_sense_is_refused(tmp_path: Path, reference: Reference, words: str) -> None:
    write_reference(tmp_path / "day.json", reference)
    with pytest.raises(StoreBroken, match=words):
        read_reference(tmp_path / "day.json")


def test_a_reference_without_features_reads_as_before(tmp_path: Path) -> None:
    write_reference(tmp_path / "day.json", FRAMES)
    plain = json.loads((tmp_path / "day.json").read_text())
    del plain["features"], plain["per_s"]
    (tmp_path / "old.json").write_text(json.dumps(plain))
    assert read_reference(tmp_path / "old.json") == FRAMES


def test_two_samples_a_second_are_taken_of_each_camera_by_its_time() -> None:
    turns = Turns(2.0)
    refs = [replace(rows.ref(seq), time_s=seq // 2 / 15.0, channel=("front", "rear")[seq % 2]) for seq in range(62)]
    due = [(ref.channel, round(ref.time_s, 3)) for ref in refs if turns.is_due(ref)]
    times = [0.0, 0.533, 1.0, 1.533, 2.0]
    assert due == [(channel, time_s) for time_s in times for channel in ("front", "rear")]
    gone_on = replace(rows.ref(70), time_s=7.3, channel="front")  # frames were lost
    assert turns.is_due(gone_on)
    assert not turns.is_due(replace(gone_on, time_s=7.45))


def test_features_have_a_name_for_each_model_and_number() -> None:
    sample = FeatureSample(rows.ref(0), {Role.CANDIDATE: np.array([1.5, -2.0], np.float32)})
    assert feature_figures(sample) == {"candidate.feature:00": 1.5, "candidate.feature:01": -2.0}
