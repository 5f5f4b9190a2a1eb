from contextlib import closing
from pathlib import Path

import pytest

from hilgui.cornercases import badness
from hilgui.errors import CallWrong
from hilgui.records import Ledger, Outcome, Verdict
from hilgui.records.triage import TriageState
from hilgui.store import RunReader, RunWriter
from hilgui.triage import FindingsIndex, Journal, Query
from tests.unit.store.rows import header
from tests.unit.triage.many import make_run, varied

COUNT = 60


@pytest.fixture
def runs(tmp_path) -> list[Path]:
    root = tmp_path / "home" / "runs"
    return [
        make_run(root, COUNT, "20260101-a", weather="rain", drive="wet.mp4"),
        make_run(root, COUNT, "20260102-b", weather="dry", drive="dry.mp4"),
    ]


@pytest.fixture
def index(tmp_path, runs):
    with closing(FindingsIndex(tmp_path / "home")) as index:
        index.refresh(runs)
        yield index


def found(index, **filters):
    return index.rows(index.ids(Query(**filters)))


def everything(runs):
    for folder in runs:
        with closing(RunReader(folder)) as reader:
            yield from ((folder, each) for each in reader.findings())


def test_the_order_is_the_one_order_of_findings(index, runs):
    rows = found(index, runs=(runs[0],))
    with closing(RunReader(runs[0])) as reader:
        assert [row.finding for row in rows] == sorted(reader.findings(), key=badness)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"kinds": ("phantom", "flicker")}, lambda f, _: f.kind in ("phantom", "flicker")),
        ({"severities": (3,)}, lambda f, _: f.severity == 3),
        ({"labels": ("car",)}, lambda f, _: f.objects[0].label == "car"),
        ({"roles": ("candidate",)}, lambda f, _: f.role == "candidate"),
        ({"suspects": ("label",)}, lambda f, _: f.suspect == "label"),
        ({"suspect_models": ("candidate",)}, lambda f, _: f.suspect_model == "candidate"),
        ({"conditions": ("weather=rain",)}, lambda _, folder: folder.name == "20260101-a"),
        ({"drives": ("dry.mp4",)}, lambda _, folder: folder.name == "20260102-b"),
        ({"text": "TRUCK lost"}, lambda f, _: "truck" in f.why),
        ({"nearer_m": 2.0}, lambda f, _: f.objects[0].distance_m <= 2.0),
        ({"kinds": ("phantom",), "text": "car"}, lambda f, _: f.kind == "phantom" and "car" in f.why),
    ],
)
def test_filters_let_pass_what_they_name(index, runs, filters, passes):
    expected = {(folder, each.number) for folder, each in everything(runs) if passes(each, folder)}
    assert expected, "the row of this test filters nothing"
    assert {(row.folder, row.finding.number) for row in found(index, **filters)} == expected


def test_pictures_that_look_alike_are_found_by_their_hash(index):
    some = found(index)[7]
    given = int(some.finding.frame_hash, 16)
    alike = found(index, like=given ^ 0b101, like_bits=4)
    assert {row.finding.number for row in alike} == {some.finding.number}
    assert len(found(index, like=given, like_bits=64)) == 2 * COUNT


def test_decisions_are_filters_from_the_moment_they_are_made(index, runs, tmp_path):
    journal = Journal(runs[0], tmp_path / "home")
    journal.change(
        [4, 5], who="Ada", state=TriageState.LABEL_ERROR, tags=["fog"], note="the box is late", assignee="Bo"
    )
    index.note_change(runs[0], [4, 5])
    for filters in ({"states": ("label_error",)}, {"tags": ("fog",)}, {"text": "late"}, {"assignees": ("Bo",)}):
        assert {row.finding.number for row in found(index, **filters)} == {4, 5}
    assert index.tags() == ["fog"]
    assert index.counts("state", Query())["open"] == 2 * COUNT - 2
    journal.undo(who="Ada")
    index.refresh(runs)  # as another program would learn of it
    assert found(index, states=("label_error",)) == []


def test_only_runs_that_changed_are_read_again_and_runs_that_are_gone_are_forgotten(index, runs, tmp_path):
    assert index.refresh(runs) == 0
    Journal(runs[1], tmp_path / "home").change([1], who="Ada", state=TriageState.ACCEPTED)
    assert index.refresh(runs) == 1
    for path in sorted(runs[0].rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    index.refresh(runs[1:])
    assert {row.folder for row in found(index)} == {runs[1]}


def test_a_damaged_run_is_named_and_the_others_are_listed(index, runs):
    broken = runs[0].parent / "broken"
    broken.mkdir()
    (broken / "run.sqlite").write_text("not a database")
    index.refresh([*runs, broken])
    assert list(index.problems()) == [broken]
    assert len(index.ids(Query())) == 2 * COUNT


def test_a_damaged_index_is_made_again(tmp_path, runs):
    home = tmp_path / "other"
    home.mkdir()
    (home / "findings.sqlite").write_text("no index at all, but long enough to be looked at")
    with closing(FindingsIndex(home)) as index:
        assert index.refresh(runs) == 2
        assert len(index.ids(Query())) == 2 * COUNT


def test_orders_are_honoured_and_a_strange_one_is_refused(index):
    frames = [row.finding.frames for row in found(index, order="frames", descending=True)]
    assert frames == sorted(frames, reverse=True)
    with pytest.raises(CallWrong, match="cannot be ordered"):
        index.ids(Query(order="beauty"))


def test_the_words_of_a_query_ask_for_the_same_on_the_command_line():
    query = Query(kinds=("phantom",), severities=(3,), tags=("fog",), text="late box", nearer_m=15, order="frames")
    assert query.arguments() == [
        *("--kind", "phantom", "--severity", "high", "--tag", "fog"),
        *("--text", "late box", "--nearer", "15", "--order", "frames"),
    ]
    assert Query().arguments() == [] and Query().is_empty and not query.is_empty


def test_findings_keep_their_ids_while_their_run_grows(tmp_path):
    writer = RunWriter(tmp_path / "runs", header("20260103-c"))
    writer.write([], [varied(number) for number in range(1, 11)])
    with closing(FindingsIndex(tmp_path)) as index:
        index.refresh([writer.folder])
        before = {row.finding.number: row.id for row in found(index)}
        writer.write([], [varied(number) for number in range(11, 31)])
        index.refresh([writer.folder])
        after = {row.finding.number: row.id for row in found(index)}
    writer.finish(Verdict(Outcome.PASS), Ledger(0, 0, 0, 0, 0))
    assert len(before) == 10
    assert len(set(after.values())) == 30
    assert {number: after[number] for number in before} == before
