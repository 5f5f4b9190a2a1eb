"""Cases that replay, through the models' process and the command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from hilgui.cli import main
from hilgui.records import Outcome
from hilgui.resources import shipped
from hilgui.sequencer.loading import load_cases, read_case
from hilgui.sequencer.operator import Unattended
from hilgui.sequencer.results import ResultShelf
from hilgui.sequencer.runner import CaseRunner
from hilgui.sequencer.suite import CaseEnded, Suite
from hilgui.sequencer.tidings import RunBegan
from hilgui.settings import load_settings
from hilgui.stream import StopToken

DEMO = shipped("assets/demo")
CASE = """\
schema: hilgui/case.v1
name: short
source: {{path: "{demo}/day.mp4", frames: [100, 105]}}
models: {{baseline: "{demo}/baseline.onnx"}}
steps:
  - replay:
criteria:
{criteria}
"""


def write_case(folder: Path, *criteria: str) -> Path:
    path = folder / "short.case.yaml"
    lines = "\n".join(f"  - {{{each}}}" for each in criteria)
    path.write_text(CASE.format(demo=DEMO, criteria=lines), encoding="utf-8")
    return path


def test_one_replay_answers_every_kind_of_criterion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_case(
        tmp_path,
        'metric: frames, limit: "== 6"',
        'metric: lost_frames, limit: "== 0"',
        'metric: map_50, limit: ">= 0.3"',
        'metric: recall, limit: ">= 0.3", slice: {class: car}',
        'metric: recall, limit: "> 1", distance_m: [0, 30]',
        "must_not_detect: {classes: [car]}",
        "must_not_detect: {classes: [tram]}",
        'findings: {kind: black_frame}, limit: "== 0"',
        'metric: no_such_figure, limit: "== 0"',
        'metric: latency_p99_ms, limit: "> 0", unit: ms',
    )
    junit = tmp_path / "junit.xml"
    code = main(["run", str(path), "--json", "--junit", str(junit)])
    told = json.loads(capsys.readouterr().out)
    (result,) = told["cases"]
    said = [one["outcome"] for one in result["criteria"]]
    assert said == [
        "PASS", "PASS", "PASS", "PASS", "FAIL", "FAIL", "INCONCLUSIVE", "PASS", "INCONCLUSIVE", "PASS"
    ], result["criteria"]  # fmt: skip
    assert code == told["exit_code"] == 1 and result["outcome"] == "FAIL"
    assert result["frames"]["evaluated"] == 6 and Path(result["runs"][0]).is_dir()
    assert ElementTree.parse(junit).find("testsuite/testcase/failure") is not None
    assert main(["cases", "trend", "short", "--json"]) == 0


def test_a_missing_figure_never_passes(tmp_path: Path) -> None:
    path = write_case(tmp_path, 'metric: lost_frames, limit: "== 0"', 'metric: no_such_figure, limit: "== 0"')
    assert main(["run", str(path)]) == 3


def test_stop_during_a_replay_ends_aborted_with_what_was_played(tmp_path: Path) -> None:
    stop = StopToken()
    path = write_case(tmp_path, 'metric: lost_frames, limit: "== 0"')
    path.write_text(path.read_text().replace("frames: [100, 105]", "speed: '0.1'"), encoding="utf-8")

    def told(event: object) -> None:
        if isinstance(event, RunBegan):
            stop.stop("STOP pressed by the test")

    result = CaseRunner(load_settings(), Unattended("me"), told, stop).run(read_case(path)[0])
    assert result.outcome is Outcome.ABORTED and "STOP pressed" in result.reasons[0]


def test_a_killed_models_process_is_a_broken_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_case(tmp_path, 'metric: lost_frames, limit: "== 0"')
    path.write_text(path.read_text().replace("frames: [100, 105]", "speed: '0.1'"), encoding="utf-8")
    runner = CaseRunner(load_settings(), Unattended("me"), lambda event: _kill(event, players), StopToken())
    players: list[int | None] = []
    original = runner._open_player

    def opening(*arguments: object) -> object:
        player = original(*arguments)  # type: ignore[arg-type]
        players.append(None if player is None else player.pid)
        return player

    monkeypatch.setattr(runner, "_open_player", opening)
    result = runner.run(read_case(path)[0])
    assert result.outcome is Outcome.ERROR and "SIGKILL" in result.reasons[0]


def _kill(event: object, players: list[int | None]) -> None:
    if isinstance(event, RunBegan) and players[0] is not None:
        os.kill(players[0], signal.SIGKILL)


def test_a_missing_model_is_an_error_and_the_suite_goes_on(tmp_path: Path) -> None:
    path = write_case(tmp_path, 'metric: lost_frames, limit: "== 0"')
    broken = tmp_path / "broken.case.yaml"
    broken.write_text(path.read_text().replace("baseline.onnx", "gone.onnx"), encoding="utf-8")
    ended: list[CaseEnded] = []
    told = lambda event: ended.append(event) if isinstance(event, CaseEnded) else None  # noqa: E731
    found = Suite(load_settings(), Unattended("me"), told, StopToken()).run(load_cases([tmp_path]))
    assert [each.word for each in found] == ["ERROR", "PASS"] == [event.result.word for event in ended]
    assert "gone.onnx" in found[0].reasons[0]


def test_a_torn_file_is_named_and_nothing_of_its_folder_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_case(tmp_path, 'metric: lost_frames, limit: "== 0"')
    torn = tmp_path / "torn.case.yaml"
    torn.write_text(path.read_text("utf-8")[:90], encoding="utf-8")
    assert main(["run", str(tmp_path), "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert f"{torn}, line " in told["error"] and "Nothing was run" in told["error"]
    assert ResultShelf(load_settings().home).results() == []


def test_a_new_case_names_cameras_and_registered_models_as_they_are_and_says_what_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bench.case.yaml"
    assert main(["cases", "new", str(path), "--source", "camera:uvc:0#fps=30", "-b", "front@champion"]) == 0
    case = yaml.safe_load(path.read_text("utf-8"))
    assert case["source"] == {"path": "camera:uvc:0#fps=30", "duration_s": 10}
    assert case["models"] == {"baseline": "front@champion"}
    assert "yet" not in capsys.readouterr().err
    path.unlink()
    assert main(["cases", "new", str(path), "--source", str(tmp_path / "gone.mp4"), "-b", f"{DEMO}/baseline.onnx"]) == 0
    assert "gone.mp4 yet" in " ".join(capsys.readouterr().err.split())
    sharper = path.read_text("utf-8").replace("  # - {", "  - {")
    path.write_text(sharper, "utf-8")
    assert main(["cases", "validate", str(path)]) == 0


def test_cases_are_validated_listed_and_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "validate"]) == 0
    path = tmp_path / "mine.case.yaml"
    assert main(["cases", "new", str(path), "--source", f"{DEMO}/day.mp4", "-b", f"{DEMO}/baseline.onnx"]) == 0
    assert main(["cases", "new", str(path), "--source", "x", "-b", "y"]) == 2
    path.write_text(path.read_text().replace("criteria", "critera"), encoding="utf-8")
    capsys.readouterr()
    assert main(["cases", "validate", str(path), "--json"]) == 4
    (flaw,) = [each for each in json.loads(capsys.readouterr().out)["flaws"] if each["key"] == "critera"]
    assert flaw["line"] == 9 and "criteria?" in flaw["sentence"]
    assert main(["cases", "list", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["cases"]}
    assert rows["night_pedestrian_candidate"]["tags"][0] == "manual" and rows["cable_pull"]["needs"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_shipped_case_ends_as_it_says() -> None:
    found = Suite(load_settings(), Unattended("me"), lambda event: None, StopToken()).run(
        load_cases([shipped("testcases")], everything=True)
    )
    red = {each.id: (each.word, each.reasons) for each in found if each.outcome not in (Outcome.PASS, None)}
    assert list(red) == ["night_pedestrian_candidate"] and red["night_pedestrian_candidate"][0] == "FAIL", red
