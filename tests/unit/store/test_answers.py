"""Outputs and truths that are no boxes come back from the store as they went in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hilgui.errors import StoreBroken
from hilgui.records import (
    Classification,
    ClassTruth,
    Depth,
    DepthTruth,
    DepthUnit,
    FeatureSample,
    Inference,
    LabelMap,
    Lanes,
    LaneTruth,
    Ledger,
    MaskTruth,
    Moment,
    Outcome,
    Role,
    Segmentation,
    Verdict,
)
from hilgui.store import RunReader, RunWriter
from tests.unit.store.rows import header, moment, ref

RNG = np.random.default_rng(3)
GRID = RNG.integers(0, 3, (24, 40), np.uint8)
NEAR = RNG.uniform(1, 80, (24, 40)).astype(np.float32)
NEAR[3, 4] = np.inf
LINES = (RNG.uniform(0, 64, (5, 2)).astype(np.float32), RNG.uniform(0, 64, (2, 2)).astype(np.float32))


def answered(seq: int = 0) -> Moment:
    first, second = LabelMap.of_grid("road", ("other", "road"), GRID, (160, 90)), LabelMap("lanes", ("no",), GRID)
    rich = Inference(
        moment(seq).inferences[Role.BASELINE].detections,
        1,
        2,
        3,
        classification=Classification(np.array([7, 2], np.int32), np.array([0.75, 0.125], np.float32)),
        segmentation=Segmentation((first, second)),
        lanes=Lanes(LINES, np.array([0.9, 0.5], np.float32)),
        depth=Depth.of_grid(NEAR, DepthUnit.METRES, (160, 90)),
    )
    no_lines = replace(moment(seq).inferences[Role.CANDIDATE], lanes=Lanes((), np.empty(0, np.float32)))
    return replace(
        moment(seq),
        inferences={Role.BASELINE: rich, Role.CANDIDATE: no_lines},
        mask_truth=MaskTruth(RNG.integers(0, 4, (90, 160), np.uint8), ("a", "b", "c", "d")),
        lane_truth=LaneTruth(LINES),
        depth_truth=DepthTruth((RNG.integers(0, 20000, (90, 160)) * (RNG.random((90, 160)) < 0.05)).astype(np.uint16)),
        class_truth=ClassTruth(np.array([3], np.int32), ("a", "b", "c", "d")),
        speed_mps=13.5,
    )


def stored(root: Path, given: Moment) -> Path:
    writer = RunWriter(root, header())
    writer.write([given])
    writer.put_series("SPEED", "m/s", np.array([0.0, 0.5]), np.array([13.0, 14.0]))
    writer.finish(Verdict(Outcome.PASS), Ledger(1, 1, 0, 0, 1, 0))
    return writer.folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Moment, Moment]:
    given = answered()
    reader = RunReader(stored(tmp_path_factory.mktemp("runs"), given))
    (read,) = reader.moments()
    assert reader.series()["SPEED"].numbers.tolist() == [13.0, 14.0]
    reader.close()
    return given, read


def _maps(item: Moment) -> list[Any]:
    segmentation = item.inferences[Role.BASELINE].segmentation
    assert segmentation is not None
    return [[each.head, each.names, each.labels] for each in segmentation.maps]


ARRAYS: dict[str, Callable[[Moment], Any]] = {
    "segmentation": lambda item: [each[2] for each in _maps(item)],
    "depth": lambda item: [item.inferences[Role.BASELINE].depth.values],  # type: ignore[union-attr]
    "lanes": lambda item: [*item.inferences[Role.BASELINE].lanes.lines],  # type: ignore[union-attr]
    "lane scores": lambda item: [item.inferences[Role.BASELINE].lanes.scores],  # type: ignore[union-attr]
    "classes": lambda item: [item.inferences[Role.BASELINE].classification.classes],  # type: ignore[union-attr]
    "scores": lambda item: [item.inferences[Role.BASELINE].classification.scores],  # type: ignore[union-attr]
    "mask truth": lambda item: [item.mask_truth.classes],  # type: ignore[union-attr]
    "lane truth": lambda item: [*item.lane_truth.lanes],  # type: ignore[union-attr]
    "depth truth": lambda item: [item.depth_truth.raw],  # type: ignore[union-attr]
    "class truth": lambda item: [item.class_truth.classes],  # type: ignore[union-attr]
}


@pytest.mark.parametrize("what", ARRAYS)
def test_arrays_come_back_bit_by_bit(pair: tuple[Moment, Moment], what: str) -> None:
    wanted, got = (ARRAYS[what](each) for each in pair)
    assert len(wanted) == len(got)
    for one, other in zip(wanted, got, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_truncation_lies_beside_the_boxes_and_only_where_it_is_known(tmp_path: Path) -> None:
    plain = moment(0)
    assert plain.truth is not None
    shares = np.linspace(0, 1, len(plain.truth)).astype(np.float32)
    for given in (plain, replace(plain, truth=replace(plain.truth, truncation=shares))):
        reader = RunReader(stored(tmp_path / str(given is plain), given))
        (read,) = reader.moments()
        reader.close()
        assert given.truth is not None and read.truth is not None
        np.testing.assert_array_equal(read.truth.truncation, given.truth.truncation)


def test_names_units_and_figures_come_back(pair: tuple[Moment, Moment]) -> None:
    given, read = pair
    assert [each[:2] for each in _maps(read)] == [each[:2] for each in _maps(given)]
    depth = read.inferences[Role.BASELINE].depth
    assert depth is not None
    assert depth.unit is DepthUnit.METRES
    assert np.isnan(depth.values).any()
    assert read.mask_truth is not None
    assert (read.mask_truth.names, read.mask_truth.ignore) == (("a", "b", "c", "d"), 255)
    assert read.speed_mps == 13.5
    assert read.inferences[Role.CANDIDATE].lanes is not None
    assert len(read.inferences[Role.CANDIDATE].lanes) == 0
    assert read.inferences[Role.CANDIDATE].segmentation is None


def test_a_label_map_of_a_picture_takes_a_hundredth_of_its_pixels(tmp_path: Path) -> None:
    grid = np.zeros((360, 640), np.uint8)
    grid[200:, 100:500] = 1
    output = Segmentation((LabelMap.of_grid("road", ("other", "road"), grid, (1920, 1080)),))
    inference = replace(moment(0).inferences[Role.BASELINE], segmentation=output)
    given = replace(moment(0), inferences={Role.BASELINE: inference})
    database = sqlite3.connect(stored(tmp_path, given) / "run.sqlite")
    (size,) = database.execute("SELECT sum(length(value)) FROM answer").fetchone()
    database.close()
    assert size < 1920 * 1080 / 100


def test_a_run_of_detectors_stores_no_answers(tmp_path: Path) -> None:
    database = sqlite3.connect(stored(tmp_path, moment(0)) / "run.sqlite")
    assert database.execute("SELECT count(*) FROM answer").fetchone() == (0,)
    database.close()


def change(folder: Path, *statements: str) -> None:
    database = sqlite3.connect(folder / "run.sqlite")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


DAMAGE = {
    "cut off": "UPDATE answer SET value=substr(value, 1, 40)",
    "not folded": "UPDATE answer SET value=x'00112233'",
    "empty": "UPDATE answer SET value=x''",
    "text": "UPDATE answer SET value='no bytes'",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_answer_is_one_sentence(tmp_path: Path, what: str) -> None:
    folder = stored(tmp_path, answered())
    change(folder, DAMAGE[what])
    reader = RunReader(folder)
    with pytest.raises(StoreBroken, match="a stored value is damaged"):
        list(reader.moments())
    reader.close()


def test_an_answer_of_a_later_hilgui_is_left_alone(tmp_path: Path) -> None:
    folder = stored(tmp_path, answered())
    change(folder, "INSERT INTO answer VALUES (0, 'baseline.flow', x'00')")
    reader = RunReader(folder)
    assert len(list(reader.moments())) == 1
    reader.close()


def make_version_1(folder: Path) -> None:
    """Turn a run back into what the first version wrote."""
    change(
        folder,
        "DROP TABLE answer",
        "DROP TABLE series",
        "ALTER TABLE frame DROP COLUMN channel",
        "ALTER TABLE frame DROP COLUMN speed_mps",
        "PRAGMA user_version=1",
    )


def test_a_run_of_the_first_version_is_read_from_read_only_media(tmp_path: Path) -> None:
    folder = stored(tmp_path, moment(0))
    make_version_1(folder)
    before = (folder / "run.sqlite").read_bytes()
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    reader = RunReader(folder)
    (read,) = reader.moments()
    assert (read.ref.channel, read.speed_mps, read.mask_truth, reader.series()) == ("", None, None, {})
    assert len(read.inferences[Role.BASELINE].detections) == 10
    assert reader.timeline().seq.tolist() == [0]
    assert reader.losses() == []
    reader.close()
    folder.chmod(0o755)
    assert (folder / "run.sqlite").read_bytes() == before


def test_sampled_features_come_back_bit_by_bit_also_where_they_came_after_their_frame(tmp_path: Path) -> None:
    numbers = np.random.default_rng(3).standard_normal((2, 64)).astype(np.float32)
    late = FeatureSample(ref(1), {Role.BASELINE: numbers[0], Role.CANDIDATE: numbers[1]})
    early = FeatureSample(ref(0), {Role.BASELINE: numbers[1]})
    with closing(RunWriter(tmp_path, header())) as writer:
        writer.write([moment(0), moment(1)], features=[early])
        writer.write([moment(2)], features=[late])
        folder = writer.folder
    with closing(RunReader(folder)) as reader:
        found = reader.features()
        assert len(list(reader.moments())) == 3
    assert [(each.ref.seq, each.ref.time_s, list(each.features)) for each in found] == [
        (0, 0.0, [Role.BASELINE]),
        (1, 1 / 30, [Role.BASELINE, Role.CANDIDATE]),
    ]
    assert all(np.array_equal(found[1].features[role], late.features[role]) for role in Role)
