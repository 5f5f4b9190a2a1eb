"""Criticality: worked examples by hand, and the figures that rest on it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hilgui import records
from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.critical_quality import CriticalQuality
from hilgui.evaluation.criticality import Basis, CriticalityMeter, criticality_of
from hilgui.evaluation.geometry import (
    CameraGeometry,
    ground_distance_m,
    is_in_corridor,
    is_in_polygon,
    lateral_m,
    required_deceleration,
    time_to_collision_s,
)
from hilgui.evaluation.heights import Heights
from hilgui.records import Moment, Role, Vocabulary
from hilgui.scenes.camera import Camera
from hilgui.settings import CriticalityLimits
from tests.unit.cornercases import drive

LIMITS = CriticalityLimits()
CAMERA = CameraGeometry(640, 640, 480, 270, 1.4, 0.0, 960, 540)
SIZE = (960, 540)
UNKNOWN = np.array([math.nan])


def standing(distance_m: float, lateral: float, height_m: float = 1.7, width_m: float = 0.6) -> tuple[float, ...]:
    bottom = 270 + 640 * 1.4 / distance_m
    middle, wide = 480 + 640 * lateral / distance_m, 640 * width_m / distance_m
    return (middle - wide / 2, bottom - 640 * height_m / distance_m, middle + wide / 2, bottom)


def test_the_row_in_which_an_object_stands_tells_its_distance() -> None:
    assert ground_distance_m(np.array([270 + 640 * 1.4 / 20, 260.0, 270.5]), CAMERA)[0] == pytest.approx(20.0)
    assert np.isnan(ground_distance_m(np.array([260.0, 270.5]), CAMERA)).all()


def test_a_pitched_camera_agrees_with_the_renderer() -> None:
    """The renderer projects a point of the road; the evaluation finds its distance again."""
    scene = Camera()
    told = records.CameraGeometry(
        scene.width, scene.height, scene.fx, scene.cx, scene.cy, scene.height_m, scene.horizon_px
    )
    geometry = CameraGeometry.of(told)
    assert geometry is not None
    pixels, _ = scene.project(np.array([[1.0, 0.0, 25.0], [-2.0, 0.0, 10.0]]))
    assert geometry.horizon_px == pytest.approx(scene.horizon_px)
    found = ground_distance_m(pixels[:, 1], geometry)
    # Z counts along the optical axis; 25 m ahead on the road are 0.9 % off at a pitch of .05.
    assert found == pytest.approx([25.0, 10.0], rel=0.02)
    assert lateral_m(pixels[:, 0], found, geometry) == pytest.approx([1.0, -2.0], rel=0.02)


def test_time_to_collision_is_height_over_its_growth() -> None:
    times = np.arange(6) / 10
    heights = Heights(0.5)
    for time_s in times.tolist():  # comes nearer by 8 m/s
        box = (100.0, 100.0, 140.0, 100.0 + 1.7 * 640 / (20 - 8 * time_s))
        (growth,) = heights.growth(drive.moment(0, time_s=time_s).ref, np.array([box]), ["car"])
    logs = np.log(1.7 * 640 / (20 - 8 * times))
    assert growth == pytest.approx(np.polyfit(times, logs, 1)[0])
    ttc = time_to_collision_s(np.array([growth, -0.1, math.nan]))
    assert ttc[0] == pytest.approx((20 - 8 * 0.25) / 8, rel=0.01)  # at the middle of the window
    assert ttc[1] == math.inf
    assert math.isnan(ttc[2])


def test_required_deceleration_stops_two_metres_short() -> None:
    found = required_deceleration(np.array([10.0, 10.0, -3.0, math.nan]), np.array([27.0, 1.0, 9.0, 9.0]))
    assert found[:3].tolist() == [2.0, math.inf, 0.0]
    assert math.isnan(found[3])


def test_the_corridor_widens_with_distance() -> None:
    assert is_in_corridor(np.array([1.75, 1.75, 2.75, math.nan]), np.array([0.0, 50.0, 49.0, 10.0])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_the_corridor_polygon_is_narrow_at_the_horizon() -> None:
    boxes = np.array([[470, 200, 490, 300], [700, 400, 800, 539], [700, 200, 720, 260], [470, 10, 490, 100]], float)
    inside = is_in_polygon(boxes, 960, 540, foot=0.35, apex=0.05, horizon=0.45)
    assert inside.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("distance_m", "lateral", "vulnerable", "growth", "critical"),
    [
        (14.0, 6.0, True, math.nan, True),  # a vulnerable road user within 15 m, wherever it is
        (16.0, 0.0, True, math.nan, False),
        (14.0, 0.0, False, math.nan, False),  # a car that does not come nearer
        (30.0, 0.0, False, 1 / 2.9, True),  # 2.9 s to collision
        (30.0, 0.0, False, 1 / 6.0, False),  # 6 s, 5 m/s: .45 m/s²
        (30.0, 5.0, False, 1 / 2.9, False),  # beside the corridor
        (100.0, 0.0, False, 1 / 4.0, True),  # 25 m/s towards it: 3.2 m/s²
    ],
)
def test_the_rule_of_criticality(
    distance_m: float, lateral: float, vulnerable: bool, growth: float, critical: bool
) -> None:
    box = np.array([standing(distance_m, lateral)])
    found = criticality_of(box, np.array([vulnerable]), np.array([growth]), SIZE, LIMITS, camera=CAMERA)
    assert found.distance_m[0] == pytest.approx(distance_m)
    assert found.basis[0] == Basis.CALIBRATION
    assert bool(found.critical[0]) is critical


def test_the_label_knows_better_than_the_calibration_and_height_stands_in_for_both() -> None:
    box, person = np.array([standing(40.0, 0.0)]), np.array([True])
    labelled = criticality_of(box, person, UNKNOWN, SIZE, LIMITS, camera=CAMERA, labelled_m=np.array([12.0]))
    assert (labelled.basis[0], bool(labelled.critical[0])) == (Basis.LABEL, True)
    assert not criticality_of(box, person, UNKNOWN, SIZE, LIMITS, camera=CAMERA).critical[0]
    tall = np.array([[400.0, 200, 440, 270]])
    fallback = criticality_of(tall, person, UNKNOWN, SIZE, LIMITS)
    assert (fallback.basis[0], bool(fallback.critical[0])) == (Basis.HEIGHT, True)
    assert "box height" in Basis(fallback.basis[0]).words


def test_a_calibration_without_mounting_height_gives_no_distance() -> None:
    told = records.CameraGeometry(960, 540, 640, 480, 270, horizon_px=270)
    assert CameraGeometry.of(told) is None
    assert CameraGeometry.of(replace(told, height_m=1.4)) is not None
    assert CameraGeometry.of(replace(told, height_m=1.4, horizon_px=None)) is None
    assert CameraGeometry.of(None) is None


def test_pictures_of_another_size_scale_the_calibration() -> None:
    half = CAMERA.scaled(480, 270)
    assert ground_distance_m(np.array([(270 + 640 * 1.4 / 20) / 2]), half)[0] == pytest.approx(20.0)


def approaching(seq: int, *, seen: bool = True, box: tuple[float, ...] | None = None) -> Moment:
    place = box or standing(26.0 - 0.3 * seq, 0.0, 1.5, 1.8)  # 9 m/s at 30 fps
    corners = (place[0], place[1], place[2], place[3])
    return drive.moment(
        seq,
        truth=[drive.Known(drive.CAR, corners, 5)],
        seen={Role.BASELINE: [(drive.CAR, corners, 0.9)] if seen else []},
    )


def measured(moments: list[Moment], camera: CameraGeometry | None = CAMERA) -> CriticalQuality:
    mine = CriticalQuality(Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), drive.THRESHOLD))
    mine.start_drive("one")
    mine.look_through(lambda _channel: camera)
    for each in moments:
        mine.add(each)
    return mine


def test_time_to_collision_comes_from_the_heights_of_the_last_half_second() -> None:
    meter = CriticalityMeter(LIMITS, Vocabulary(drive.NAMES, drive.JUDGED), CAMERA)
    for seq in range(20):
        found = meter.truths(approaching(seq))
    assert found is not None
    assert found.ttc_s[0] == pytest.approx((26.0 - 0.3 * 19) / 9, abs=0.3)
    assert found.critical[0]


def test_critical_recall_first_detection_and_gap() -> None:
    unseen = set(range(0, 14)) | {20, 21, 22, 23}
    figures = measured([approaching(seq, seen=seq not in unseen) for seq in range(40)]).figures()
    recall = figures["critical_recall"]
    first = 40 - recall.count  # it is critical from there on to the end
    assert 5 <= first <= 8
    assert recall.value == pytest.approx((40 - 14 - 4) / recall.count)
    assert figures["time_to_first_detection_s"].value == pytest.approx((14 - first) / 30)
    assert figures["longest_gap_s"].value == pytest.approx(4 / 30)
    assert (figures["missed_critical"].value, figures["missed_critical"].count) == (1, 1)
    assert figures["missed_critical_per_hour"].value is None  # 1.3 s
    assert figures["never_detected_critical"].value == 0
    assert figures["critical_recall.car"].count == recall.count


def test_a_critical_object_found_all_along_is_not_missed() -> None:
    figures = measured([approaching(seq) for seq in range(40)]).figures()
    assert (figures["critical_recall"].value, figures["missed_critical"].value) == (1.0, 0)
    assert figures["time_to_first_detection_s"].value == 0.0


def nothing(seq: int) -> Moment:
    return drive.moment(seq, truth=[], seen={Role.BASELINE: []})


def test_a_rate_needs_ten_judged_seconds_of_frames_that_follow_each_other() -> None:
    assert measured([nothing(seq) for seq in range(299)]).figures()["missed_critical_per_hour"].value is None
    assert measured([nothing(seq) for seq in range(302)]).figures()["missed_critical_per_hour"].value == 0
    assert measured([nothing(10 * seq) for seq in range(302)]).figures()["missed_critical_per_hour"].value is None


def test_phantoms_count_in_the_corridor_only_and_from_three_frames_on() -> None:
    def ghost(seq: int, across: float) -> Moment:
        box = (across, 300.0, across + 40, 345.0)
        return drive.moment(seq, truth=[], seen={Role.BASELINE: [(drive.CAR, box, 0.9)]})

    def counted(across: float, frames: int) -> CriticalQuality:
        """Show a ghost for some frames of 12 s."""
        return measured([ghost(seq, across) if seq < frames else nothing(seq) for seq in range(361)])

    assert counted(460, 31).figures()["phantoms_per_minute"].value == pytest.approx(5.0)
    assert counted(800, 31).figures()["phantoms_per_minute"].value == 0
    assert counted(460, 2).figures()["phantoms_per_minute"].value == 0


def test_figures_say_what_the_distances_rest_on() -> None:
    person = standing(10.0, 3.0)
    corners = (person[0], person[1], person[2], person[3])
    here = drive.moment(0, truth=[drive.Known(drive.PERSON, corners, 1)], seen={Role.BASELINE: []})
    assert measured([here]).details()["criticality"]["basis"] == {Basis.CALIBRATION.words: 1}
    assert measured([here], None).details()["criticality"]["basis"] == {Basis.HEIGHT.words: 1}


def test_nothing_critical_is_no_recall_of_one() -> None:
    figures = measured([drive.moment(0, truth=[], seen={Role.BASELINE: []})]).figures()
    assert (figures["critical_recall"].value, figures["critical_recall"].count) == (None, 0)


def test_critical_figures_have_an_interval_over_blocks_and_lead_to_their_frames() -> None:
    box = (470.0, 280.0, 500.0, 360.0)
    known = [drive.Known(drive.PERSON, box, track=1, distance_m=9.0)]
    found = {Role.BASELINE: [(drive.PERSON, box, 0.9)]}
    moments = [
        drive.moment(seq, truth=known, seen={Role.BASELINE: []} if 40 <= seq < 60 else found) for seq in range(600)
    ]
    quality = measured(moments)
    figures = quality.with_intervals()
    recall = figures["critical_recall"]
    assert (recall.value, recall.count) == (pytest.approx(580 / 600), 600)
    assert recall.interval is not None
    assert (recall.interval.clusters, recall.interval.unit) == (6, "block of 100 frames")
    assert recall.interval.low == pytest.approx(0.9)  # the block with all misses, drawn three times of six
    assert recall.interval.high == 1.0
    behind = quality.behind("critical_recall.person")
    assert behind is not None
    assert behind[0].tolist() == list(range(40, 60))
    assert quality.behind("critical_recall.car")[0].tolist() == []  # type: ignore[index]
    assert quality.behind("missed_critical")[0].tolist() == [0]  # type: ignore[index]
    assert quality.behind("map_50") is None


def test_one_block_gives_no_interval() -> None:
    known = [drive.Known(drive.PERSON, (470.0, 280.0, 500.0, 360.0), track=1, distance_m=9.0)]
    quality = measured([drive.moment(seq, truth=known, seen={Role.BASELINE: []}) for seq in range(50)])
    assert quality.with_intervals()["critical_recall"].interval is None
