"""Runs beside each other: paired figures, waivers, the noise floor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import CallWrong, StoreBroken, WaiversBroken
from hilgui.evaluation import Clusters
from hilgui.records import Role
from hilgui.report import compare_many, differences_in_words
from hilgui.report.differences import _intervals
from hilgui.report.noise import FILE, NoiseFloor, noise_between, read_noise, write_noise
from hilgui.report.waivers import apply_waivers, load_waivers
from hilgui.store import RunReader
from tests.unit.report.night_run import findings_of, header, write_run

TODAY = date(2026, 2, 1)

WAIVERS = """schema: hilgui/waivers.v1
waivers:
  - kind: missed_object
    where: {drive: "night*", role: candidate, class: person}
    owner: Ada
    reason: the far person is known, ticket 7
    expires: 2026-02-01
"""


@pytest.fixture
def swapped(tmp_path: Path) -> Iterator[RunReader]:
    """The drive again, the weak candidate in the place of the baseline."""
    head = header("20260131-170000-night-cccc")
    models = {Role.BASELINE: head.models[Role.CANDIDATE], Role.CANDIDATE: head.models[Role.CANDIDATE]}
    folder = write_run(tmp_path, replace(head, models=models))
    with closing(RunReader(folder)) as opened:
        yield opened


def waivers_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    return path


def test_a_run_beside_itself_is_the_same_in_every_figure(reader: RunReader) -> None:
    compared = compare_many([reader, reader], today=TODAY)
    figures = compared["others"][0]["figures"]["baseline"]
    assert {each["judgement"] for each in figures.values() if each["difference"] is not None} == {"same"}
    assert compared["others"][0]["findings"]["open"] == []
    assert json.loads(json.dumps(compared, allow_nan=False))


def test_three_runs_are_set_beside_the_first(reader: RunReader, swapped: RunReader, lone_reader: RunReader) -> None:
    compared = compare_many([reader, swapped, lone_reader], today=TODAY)
    assert [other["run"] for other in compared["others"]] == [swapped.header.run_id, lone_reader.header.run_id]
    assert set(compared["others"][1]["figures"]) == {"baseline"}
    assert any("new" in line for line in differences_in_words(compared))


def test_one_run_alone_is_not_a_comparison(reader: RunReader) -> None:
    with pytest.raises(CallWrong, match="two runs"):
        compare_many([reader], today=TODAY)


def test_other_recordings_are_not_paired(reader: RunReader, tmp_path: Path) -> None:
    head = header("20260201-101010-day-bbbb")
    with closing(RunReader(write_run(tmp_path, replace(head, source=replace(head.source, sha256="f" * 64))))) as other:
        compared = compare_many([reader, other], today=TODAY)
    assert compared["frames"] == 0
    assert compared["others"][0]["findings"]["new"] is None
    assert "different recordings" in compared["notes"][0]


def test_a_difference_within_the_noise_of_the_model_is_the_same(reader: RunReader, swapped: RunReader) -> None:
    loud = NoiseFloor(58, 0, 10, 0, 0.1, 1.0, {"map_50": 1.0})
    quiet = compare_many([reader, swapped], today=TODAY)["others"][0]["figures"]["baseline"]
    floored = compare_many([reader, swapped], today=TODAY, noise=loud)["others"][0]["figures"]["baseline"]
    assert floored["map_50"]["judgement"] == "same"
    assert quiet["map_50"]["difference"] == floored["map_50"]["difference"]


def test_a_drive_that_is_too_short_has_no_interval_and_says_so(reader: RunReader, swapped: RunReader) -> None:
    compared = compare_many([reader, swapped], today=TODAY)
    figures = compared["others"][0]["figures"]["baseline"].values()
    known = [each for each in figures if each["difference"] is not None]
    assert known
    assert {each["judgement"] for each in known} <= {"open", "same"}
    for each in known:
        assert each["interval"] is None
        assert "an interval needs 5 at least" in each["why_no_interval"]
    told = differences_in_words(compared)
    assert sum("no interval, so nothing is better or worse" in line for line in told) == len(Role)


@pytest.mark.parametrize(("clusters", "method"), [(4, None), (5, "Student's t"), (21, "percentile bootstrap")])
def test_few_clusters_have_no_interval_some_students_many_the_bootstraps(clusters: int, method: str | None) -> None:
    values = np.random.default_rng(1).normal(0.2, 0.1, clusters)
    frames = Clusters(np.arange(clusters), tuple(map(str, range(clusters))), "drive")
    (sure,) = _intervals(lambda weights: np.array([(weights * values).sum() / weights.sum()]), frames)
    assert (None if sure is None else sure.method) == method


def test_a_waiver_holds_until_its_day_and_then_counts_again(tmp_path: Path) -> None:
    waivers = load_waivers(waivers_file(tmp_path, WAIVERS))
    findings = findings_of(tuple(Role))
    held = apply_waivers(waivers, findings, "Night.mp4", date(2026, 2, 1))
    assert (list(held.waived), list(held.expired), held.unused) == ([1], [], ())
    late = apply_waivers(waivers, findings, "night.mp4", date(2026, 2, 2))
    assert (list(late.waived), list(late.expired)) == ([], [1])
    elsewhere = apply_waivers(waivers, findings, "day.mp4", TODAY)
    assert (list(elsewhere.waived), elsewhere.unused) == ([], waivers)


def test_an_expired_waiver_is_said(reader: RunReader, tmp_path: Path) -> None:
    waivers = load_waivers(waivers_file(tmp_path, WAIVERS))
    lines = differences_in_words(compare_many([reader, reader], waivers=waivers, today=date(2026, 3, 1)))
    assert any("expired on 2026-02-01, counts again" in line for line in lines)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("kind: missed_object", "kind: missed_objekt", "line 3.*missed_objekt"),
        ("    owner: Ada\n", "", "owner: missing"),
        ("2026-02-01", "soon", "expires"),
        ("    expires", "    ticket: 7\n    expires", "line 7.*ticket: unknown key"),
    ],
)
def test_a_broken_waiver_is_refused_with_its_line(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    with pytest.raises(WaiversBroken, match=said):
        load_waivers(waivers_file(tmp_path, WAIVERS.replace(wrong, right)))


def test_a_run_has_no_noise_against_itself(reader: RunReader) -> None:
    floor = noise_between(reader, reader)
    assert floor.is_silent
    assert (floor.unpaired, floor.score, floor.box_px) == (0, 0.0, 0.0)
    assert set(floor.figures.values()) == {0.0}
    assert floor.boxes > 0


def test_two_different_replays_have_noise(reader: RunReader, lone_reader: RunReader) -> None:
    """The second drew its boxes from other random numbers: same objects, shifted a little."""
    floor = noise_between(reader, lone_reader)
    assert floor.identical < floor.frames
    assert 0 < floor.box_px < 5


def test_noise_is_kept_beside_the_run(tmp_path: Path) -> None:
    assert read_noise(tmp_path) is None
    floor = NoiseFloor(3, 2, 10, 1, 0.25, 1.5, {"map_50": 0.125})
    write_noise(tmp_path, floor)
    assert read_noise(tmp_path) == floor
    (tmp_path / FILE).write_text("{")
    with pytest.raises(StoreBroken, match="hilgui noise"):
        read_noise(tmp_path)
