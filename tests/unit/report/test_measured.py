"""Questions that a process beside the screen works out: measured, followed, explained, sliced, compared."""

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from hilgui.engine.aside import Aside
from hilgui.errors import BenchBroken, CallWrong
from hilgui.records import Ledger, Outcome, Role, Verdict
from hilgui.report import Changes, evaluate_runs
from hilgui.report.measured import AskBehind, Compare, Measure, Slice, stored
from hilgui.sources import source_for
from hilgui.store import RunReader, RunWriter
from tests.gui.replay_run import MISSED, PHANTOM, header_of, make_run, moment_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("measured")).folder


def silent(done: int, total: int) -> None: ...


def test_a_measured_run_equals_hilgui_evaluate(folder: Path) -> None:
    measured = Measure(folder, Changes())({}, silent)
    with closing(RunReader(folder)) as reader:
        expected = evaluate_runs([reader]).figures()
    assert measured.figures == expected and measured.is_whole and not measured.is_under_way
    assert measured.kept[Role.BASELINE].at(measured.thresholds[Role.BASELINE]).recall == pytest.approx(
        expected[Role.BASELINE]["recall"].value
    )


@pytest.mark.parametrize(
    ("figure", "role", "frames"),
    [
        ("recall.person", Role.CANDIDATE, set(MISSED)),
        ("precision.car", Role.BASELINE, set(PHANTOM)),
        ("mota", Role.CANDIDATE, set(MISSED)),
        ("mostly_lost.person", Role.CANDIDATE, set(MISSED)),
    ],
)
def test_a_figure_leads_to_its_frames(folder: Path, figure: str, role: Role, frames: set[int]) -> None:
    kept: dict = {}
    Measure(folder, Changes())(kept, silent)
    assert frames <= {behind.seq for behind in AskBehind(role, figure)(kept, silent)}


def test_a_figure_over_time_leads_to_the_findings_that_it_counts(folder: Path) -> None:
    kept: dict = {}
    Measure(folder, Changes())(kept, silent)
    with closing(RunReader(folder)) as reader:
        kinds = {finding.worst_seq for finding in reader.findings() if finding.kind == "phantom"}
    assert {behind.seq for behind in AskBehind(Role.BASELINE, "phantoms_per_minute")(kept, silent)} == kinds != set()


def test_an_unknown_figure_says_what_there_is(folder: Path) -> None:
    kept: dict = {}
    Measure(folder, Changes())(kept, silent)
    with pytest.raises(CallWrong, match="recall"):
        AskBehind(Role.BASELINE, "recal")(kept, silent)


def test_slices_say_how_sure_their_recall_is(folder: Path) -> None:
    for sliced in Slice(folder)({}, silent):
        assert sliced.figures
        for each in sliced.figures:
            interval = each.recall_interval
            assert interval is None or interval.low <= each.recall <= interval.high


def test_the_stored_figures_are_there_before_anything_is_measured(folder: Path) -> None:
    shown = stored(folder)
    assert shown.frames > 0 and shown.has_truth and not shown.is_whole
    assert set(shown.names) == set(Role)


def test_a_process_beside_works_and_says_what_went_wrong(folder: Path) -> None:
    aside = Aside()
    heard = []
    try:
        measured = aside.ask(Measure(folder, Changes()), lambda done, total: heard.append((done, total)))
        assert measured.is_whole and heard[-1][0] == heard[-1][1]
        assert aside.ask(AskBehind(Role.CANDIDATE, "recall.person"), silent)
        with pytest.raises(BenchBroken, match="recall"):
            aside.ask(AskBehind(Role.CANDIDATE, "recal"), silent)
        compared = aside.ask(Compare((folder, folder), (), date(2026, 1, 1)), silent)
        assert compared.plain["others"][0]["findings"]["new"] == []
    finally:
        aside.close()
    aside.close()


def test_a_run_under_way_has_its_rates_at_once_and_is_measured_on_from_where_it_was(tmp_path: Path) -> None:
    source = source_for(make_run(tmp_path / "drive").video)
    facts = source.open()
    source.close()
    writer = RunWriter(tmp_path / "runs", header_of(facts))
    kept: dict = {}
    for first, last in ((0, 25), (25, 40), (40, 60)):
        writer.write([moment_of(seq) for seq in range(first, last)])
        at_once = stored(writer.folder)
        measured = Measure(writer.folder, Changes())(kept, silent)
        assert measured.is_under_way and not measured.is_whole and at_once.is_under_way
        for role in Role:
            for rate in ("recall", "precision", "f1"):
                one, other = at_once.figures[role][rate], measured.figures[role][rate]
                assert (one.value, one.count, one.of) == (other.value, other.count, other.of)
                assert "plays" in one.why_no_interval and "plays" in other.why_no_interval
    assert {each.seq for each in AskBehind(Role.CANDIDATE, "recall.person")(kept, silent)} >= set(MISSED)
    assert Slice(writer.folder)({}, silent)
    writer.finish(Verdict(Outcome.PASS), Ledger(60, 60, 0, 0, 60))
    whole = Measure(writer.folder, Changes())(kept, silent)
    for role in Role:
        ends = {name: figure.value for name, figure in whole.figures[role].items()}
        assert {name: figure.value for name, figure in measured.figures[role].items()} == pytest.approx(
            ends, nan_ok=True
        )


def test_a_run_under_way_is_measured_by_steps_and_each_has_every_figure(tmp_path: Path, monkeypatch) -> None:
    """Who looks later than the drive began sees figures soon, and no drive is too quick to be followed."""
    monkeypatch.setattr("hilgui.report.measured._FIRST", 10)
    source = source_for(make_run(tmp_path / "drive").video)
    facts = source.open()
    source.close()
    writer = RunWriter(tmp_path / "runs", header_of(facts))
    writer.write([moment_of(seq) for seq in range(54)])
    kept: dict = {}
    steps = [Measure(writer.folder, Changes())(kept, silent) for _ in range(4)]
    assert [each.frames for each in steps] == [10, 20, 40, 54]
    assert [each.is_behind for each in steps] == [True, True, True, False]
    for each in steps:
        assert {"map_50_95", "hota", "critical_recall"} <= set(each.figures[Role.BASELINE])
        assert each.is_under_way
    at_once: dict = {}
    monkeypatch.setattr("hilgui.report.measured._FIRST", 1000)
    whole = Measure(writer.folder, Changes())(at_once, silent)
    for role in Role:
        values = {name: figure.value for name, figure in whole.figures[role].items()}
        assert {name: figure.value for name, figure in steps[-1].figures[role].items()} == pytest.approx(
            values, nan_ok=True, abs=0.0
        )
    writer.finish(Verdict(Outcome.PASS), Ledger(54, 54, 0, 0, 54))
