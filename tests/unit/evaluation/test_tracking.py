"""Tracking figures equal those of trackeval and motmetrics."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.overlap import iou_matrix
from hilgui.evaluation.tracking import TrackingFigures, TrackingJudge
from hilgui.evaluation.tracking_quality import TrackingQuality
from hilgui.records import NO_CLASS, Moment, Role, Truth, Vocabulary
from tests.unit.cornercases import drive

Side = tuple[list[int], NDArray[np.float64]]  # identities and boxes of a frame
Frames = list[tuple[Side, Side]]


def judged(frames: Frames) -> TrackingFigures:
    judge = TrackingJudge(frozenset({0}))
    for (names, boxes), (tracks, found) in frames:
        truth = Truth.of(boxes, np.zeros(len(boxes), np.int32), tracks=np.array(names, np.int64))
        judge.add(truth, found.reshape(-1, 4), np.zeros(len(found), np.int32), np.array(tracks, np.int64))
    return judge.per_class()[0]


def by_trackeval(frames: Frames) -> dict[str, dict[str, Any]]:
    from trackeval.metrics import CLEAR, HOTA, Identity

    mine = {name: row for row, name in enumerate(sorted({n for (names, _), _ in frames for n in names}))}
    theirs = {name: row for row, name in enumerate(sorted({n for _, (names, _) in frames for n in names}))}
    data = {
        "num_timesteps": len(frames),
        "num_gt_ids": len(mine),
        "num_tracker_ids": len(theirs),
        "num_gt_dets": sum(len(names) for (names, _), _ in frames),
        "num_tracker_dets": sum(len(names) for _, (names, _) in frames),
        "gt_ids": [np.array([mine[n] for n in names], int) for (names, _), _ in frames],
        "tracker_ids": [np.array([theirs[n] for n in names], int) for _, (names, _) in frames],
        "similarity_scores": [
            iou_matrix(boxes.reshape(-1, 4), found.reshape(-1, 4)) for (_, boxes), (_, found) in frames
        ],
    }
    quiet = {"PRINT_CONFIG": False}
    return {
        "clear": CLEAR({**quiet, "THRESHOLD": 0.5}).eval_sequence(data),
        "identity": Identity({**quiet, "THRESHOLD": 0.5}).eval_sequence(data),
        "hota": HOTA().eval_sequence(data),
    }


def by_motmetrics(frames: Frames) -> Any:
    import motmetrics

    book = motmetrics.MOTAccumulator(auto_id=True)
    for (names, boxes), (tracks, found) in frames:
        distance = 1 - iou_matrix(boxes.reshape(-1, 4), found.reshape(-1, 4))
        distance[distance > 0.5] = np.nan
        book.update(names, tracks, distance)
    host = motmetrics.metrics.create()
    wanted = ["idf1", "idp", "idr", "num_switches", "num_false_positives", "num_misses", "mota", "motp"]
    wanted += ["mostly_tracked", "partially_tracked", "mostly_lost", "num_fragmentations"]
    return host.compute(book, metrics=wanted).iloc[0]


def random_frames(seed: int, count: int = 40) -> Frames:
    """Walk a few objects about; the tracker is shaky, loses, swaps, invents."""
    rng = np.random.default_rng(seed)
    objects = int(rng.integers(1, 7))
    place = rng.uniform(0, 120, (objects, 2))
    size = rng.uniform(15, 50, (objects, 2))
    number = rng.permutation(objects) + 10
    frames: Frames = []
    for _ in range(count):
        place = place + rng.normal(0, 3, place.shape)
        boxes = np.hstack([place, place + size])
        there = rng.random(objects) < 0.85
        seen = rng.random(objects) < 0.75
        if rng.random() < 0.1:
            number = rng.permutation(number)
        if rng.random() < 0.1:
            number[rng.integers(objects)] = rng.integers(100, 10_000)
        found = boxes[seen] + rng.normal(0, 4, (int(seen.sum()), 4))
        tracks = list(dict.fromkeys(number[seen].tolist()))
        frames.append(((np.flatnonzero(there).tolist(), boxes[there]), (tracks, found[: len(tracks)])))
    return frames


def agree(ours: TrackingFigures, theirs: dict[str, dict[str, Any]]) -> None:
    clear, identity, hota = ours.clear, ours.identity, ours.hota
    near = {"rel": 0, "abs": 1e-9}
    assert (clear.true_positives, clear.false_positives, clear.misses, clear.switches) == tuple(
        theirs["clear"][name] for name in ("CLR_TP", "CLR_FP", "CLR_FN", "IDSW")
    )
    assert (clear.mostly_tracked, clear.partly_tracked, clear.mostly_lost, clear.fragmentations) == tuple(
        theirs["clear"][name] for name in ("MT", "PT", "ML", "Frag")
    )
    if clear.truths:
        assert clear.mota == pytest.approx(theirs["clear"]["MOTA"], **near)
    if clear.true_positives:
        assert clear.motp == pytest.approx(theirs["clear"]["MOTP"], **near)
    for name, value in (("IDF1", identity.idf1), ("IDP", identity.idp), ("IDR", identity.idr)):
        assert (value or 0.0) == pytest.approx(theirs["identity"][name], **near)
    for name, value in (("HOTA", hota.hota), ("DetA", hota.det_a), ("AssA", hota.ass_a), ("LocA", hota.loc_a)):
        assert value is not None
        assert value == pytest.approx(float(np.mean(theirs["hota"][name])), **near)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_figures_equal_trackeval_on_random_sequences(seed: int) -> None:
    frames = random_frames(seed)
    if any(names for (names, _), _ in frames) and any(names for _, (names, _) in frames):
        agree(judged(frames), by_trackeval(frames))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_identity_figures_equal_motmetrics_on_random_sequences(seed: int) -> None:
    frames = random_frames(seed, 25)
    if not any(names for (names, _), _ in frames):
        return
    ours, theirs = judged(frames), by_motmetrics(frames)
    for name, value in (("idf1", ours.identity.idf1), ("idp", ours.identity.idp), ("idr", ours.identity.idr)):
        if value is not None and not math.isnan(theirs[name]):
            assert value == pytest.approx(theirs[name], abs=1e-9)


@pytest.mark.parametrize("name", ["TUD-Campus", "TUD-Stadtmitte"])
def test_tud_sequences_have_the_published_figures(shared_data: Path, name: str) -> None:
    folder = shared_data / "eval_vectors" / "motmetrics_tud"
    expected = json.loads((folder / "EXPECTED.json").read_text())[name]
    frames = _mot_frames(folder / name)
    ours = judged(frames)
    assert ours.clear.mota == pytest.approx(expected["MOTA"], abs=5e-4)
    assert ours.identity.idf1 == pytest.approx(expected["IDF1"], abs=5e-4)
    assert 1 - (ours.clear.motp or 0) == pytest.approx(expected["MOTP_dist"], abs=5e-4)
    counts = ("FP", "FN", "IDs", "FM", "MT", "PT", "ML")
    clear = ours.clear
    assert [expected[each] for each in counts] == [
        clear.false_positives,
        clear.misses,
        clear.switches,
        clear.fragmentations,
        clear.mostly_tracked,
        clear.partly_tracked,
        clear.mostly_lost,
    ]
    agree(ours, by_trackeval(frames))
    theirs = by_motmetrics(frames)
    assert clear.mota == pytest.approx(theirs["mota"], abs=1e-9)
    assert ours.identity.idf1 == pytest.approx(theirs["idf1"], abs=1e-9)
    assert 1 - (clear.motp or 0) == pytest.approx(theirs["motp"], abs=1e-9)


def test_reading_in_between_changes_nothing() -> None:
    frames = random_frames(3)
    whole = judged(frames)
    judge = TrackingJudge(frozenset({0}))
    for (names, boxes), (tracks, found) in frames:
        truth = Truth.of(boxes, np.zeros(len(boxes), np.int32), tracks=np.array(names, np.int64))
        judge.add(truth, found.reshape(-1, 4), np.zeros(len(found), np.int32), np.array(tracks, np.int64))
        judge.per_class()
    assert judge.per_class()[0].as_json() == whole.as_json()


def test_a_tracked_box_in_an_ignore_region_is_no_false_positive() -> None:
    judge = TrackingJudge(frozenset({0}))
    boxes = np.array([[0, 0, 10, 10], [50, 50, 100, 100]], float)
    truth = Truth.of(boxes, np.array([0, NO_CLASS]), tracks=np.array([1, -1]), ignore=np.array([False, True]))
    found = np.array([[0, 0, 10, 10], [60, 60, 70, 70]], float)
    judge.add(truth, found, np.zeros(2, np.int32), np.array([0, 1]))
    assert judge.per_class()[0].clear.false_positives == 0


def test_drives_do_not_share_identities() -> None:
    judge = TrackingJudge(frozenset({0}))
    box = np.array([[0, 0, 10, 10]], float)
    truth = Truth.of(box, np.zeros(1, np.int32), tracks=np.array([1]))
    judge.add(truth, box, np.zeros(1, np.int32), np.array([0]), drive="a")
    judge.add(truth, box, np.zeros(1, np.int32), np.array([9]), drive="b")
    figures = judge.per_class()[0]
    assert (figures.clear.switches, figures.clear.objects, figures.identity.idf1) == (0, 2, 1.0)


def quality(*moments: Moment) -> TrackingQuality:
    mine = TrackingQuality(Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), drive.THRESHOLD))
    mine.start_drive("one")
    for each in moments:
        mine.add(each)
    return mine


def walking(step: int, score: float = 0.9, track: int = 7) -> Moment:
    box = (10.0 + 4 * step, 10.0, 40.0 + 4 * step, 90.0)
    return drive.moment(
        step,
        truth=[drive.Known(drive.PERSON, box, track)],
        seen={Role.BASELINE: [(drive.PERSON, box, score)]},
    )


def test_labels_without_identities_have_no_tracking_figures() -> None:
    mine = quality(walking(0, track=-1))
    assert (mine.figures(), mine.details(), mine.unidentified) == ({}, {}, 1)


def test_an_object_seen_all_along_under_one_track_is_perfect() -> None:
    mine = quality(*(walking(step) for step in range(10)))
    figures = mine.figures()
    assert [figures[name].value for name in ("mota", "idf1", "motp", "id_switches")] == [1.0, 1.0, 1.0, 0]
    assert figures["hota.person"].value == pytest.approx(1.0)
    assert figures["mostly_tracked"].value == figures["mostly_tracked"].count == 1
    assert mine.details()["tracking"]["per_class"]["person"]["clear"]["mota"] == 1.0


def test_a_faint_box_below_the_threshold_keeps_the_track_alive_and_is_not_judged() -> None:
    mine = quality(*(walking(step, score=0.9 if step in (0, 39) else 0.2) for step in range(40)))
    figures = mine.figures()
    assert figures["mota"].value == pytest.approx(2 / 40)
    assert figures["id_switches"].value == 0
    lost = quality(*(walking(step, score=0.9 if step in (0, 39) else 0.05) for step in range(40)))
    assert lost.figures()["id_switches"].value == 1


def test_a_second_drive_starts_with_fresh_tracks() -> None:
    mine = quality(walking(0))
    mine.start_drive("two")
    mine.add(walking(0))
    assert mine.figures()["mostly_tracked"].count == 2
    assert mine.figures()["id_switches"].value == 0


def _mot_frames(folder: Path) -> Frames:
    sides: list[dict[int, list[tuple[int, list[float]]]]] = []
    for name in ("gt.txt", "test.txt"):
        rows: dict[int, list[tuple[int, list[float]]]] = {}
        for line in (folder / name).read_text().split():
            frame, number, x, y, w, h, *_ = (float(word) for word in line.split(","))
            rows.setdefault(int(frame), []).append((int(number), [x, y, x + w, y + h]))
        sides.append(rows)
    frames: Frames = []
    for frame in sorted(set(sides[0]) | set(sides[1])):
        one, other = (
            ([n for n, _ in rows.get(frame, [])], np.array([box for _, box in rows.get(frame, [])]).reshape(-1, 4))
            for rows in sides
        )
        frames.append((one, other))
    return frames
