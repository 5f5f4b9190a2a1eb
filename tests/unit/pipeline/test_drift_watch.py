"""Which reference a camera of a run is compared with, and what is said where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilgui.drift import Reference
from hilgui.errors import CallWrong
from hilgui.pipeline.drift_watch import DriftWatch, reference_for
from hilgui.records import FeatureSample, Role, RunHeader
from hilgui.settings import DriftLimits
from tests.unit.drift.streams import FEATURES, NAMES, reference_of, stream
from tests.unit.drift.streams import features as sampled
from tests.unit.store import rows

REFERENCE = reference_of(stream(np.random.default_rng(1), 0.0, 1000))
FRONT = replace(REFERENCE, camera="front")


def with_features(reference: Reference) -> Reference:
    values = sampled(np.random.default_rng(2), 0.0, 240)
    return replace(reference, features=reference_of(values, FEATURES, per_s=2.0))


def head(*channels: str) -> RunHeader:
    header = rows.header()
    cameras = tuple({"channel": name, "fps": 20.0, "path": name} for name in channels)
    return replace(header, source=replace(header.source, cameras=cameras))


def test_a_camera_has_the_reference_that_names_it_and_a_lone_one_the_only_one() -> None:
    assert reference_for("front", ("front", "rear"), (REFERENCE, FRONT)) is FRONT
    assert reference_for("rear", ("front", "rear"), (FRONT,)) is None
    assert reference_for("", ("",), (FRONT,)) is FRONT


def test_a_camera_without_a_reference_is_told_and_frames_left_out_are_counted_of_each() -> None:
    watch = DriftWatch((FRONT,), head("front", "rear"), DriftLimits())
    assert set(watch.monitors) == {"front"}
    watch.monitors["front"].add(0, 0.0, {NAMES[0]: 1.0})
    watch.monitors["front"].add(1, 0.1, dict.fromkeys(NAMES, 0.0))
    assert watch.fresh() is None
    assert watch.notes() == (
        "drift: camera rear has no reference and is not compared",
        "drift: 1 frame of camera front without a figure of the reference not compared",
        "drift: 1 frame of camera front at the end, less than a window, not judged",
    )
    assert watch.as_json()["cameras"] == {"front": {"windows": 0, "alarms": 0, "left_out": 2}}


def test_cameras_share_the_stated_rate() -> None:
    both = (FRONT, replace(REFERENCE, camera="rear"))
    watch = DriftWatch(both, head("front", "rear"), DriftLimits(rate=0.1))
    assert [each.calibration.rate for each in watch.monitors.values()] == [0.05, 0.05]


def test_references_of_no_camera_of_the_drive_are_a_wrong_call() -> None:
    with pytest.raises(CallWrong, match=r"no drift reference is of a camera of this drive \(left, right\)"):
        DriftWatch((FRONT,), head("left", "right"), DriftLimits())


def test_what_a_reference_has_and_a_run_has_not_is_told_by_its_name() -> None:
    header = head("front")
    role, facts = next(iter(header.models.items()))
    told = []
    rows_ = tuple((*row, 0.0) for row in FRONT.rows)
    outputs = replace(FRONT, names=(*FRONT.names, f"{role.value}.detections"), rows=rows_)
    for more, sha256 in ((with_features(FRONT), facts.sha256), (with_features(FRONT), "another"), (outputs, "another")):
        told += DriftWatch((replace(more, models={role.value: sha256}),), header, DriftLimits()).notes()
    assert told == [
        "drift: the reference of camera front: features, which this run does not sample, are not compared",
        "drift: the reference of camera front: outputs of another model are not compared",
        "drift: the reference of camera front: outputs of another model are not compared",
    ]


def test_features_that_a_run_samples_have_a_monitor_of_their_own_and_a_part_of_the_rate() -> None:
    header = head("front", "rear")
    models = {role.value: facts.sha256 for role, facts in header.models.items()}
    reference = replace(with_features(FRONT), models=models)
    watch = DriftWatch((reference,), header, DriftLimits(rate=0.1), sampled={Role.BASELINE})
    (features,) = watch.features.values()
    rates = watch.monitors["front"].calibration.rate, features.calibration.rate
    assert rates == pytest.approx((0.08, 0.02))
    now = sampled(np.random.default_rng(3), 0.0, features.calibration.window_frames + 1) + 8.0
    for seq, numbers in enumerate(now.astype(np.float32)):
        for channel in ("front", "rear"):
            ref = replace(rows.ref(seq), channel=channel)
            watch.add(FeatureSample(ref, {Role.BASELINE: numbers}))
    assert len(features.looks) == 1
    assert (watch.fresh() or 0.0) > 1.0
    assert watch.fresh() is None
    assert watch.as_json()["features"] == {"windows": 1, "alarms": 1, "left_out": 1}
    assert [name for name, _, _ in watch.series()] == ["drift baseline features mmd of front"]
    assert watch.notes()[-1] == (
        "drift: 1 sample of features of camera front at the end, less than a window of 20, not judged"
    )
