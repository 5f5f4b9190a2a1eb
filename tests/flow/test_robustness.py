"""`hilgui robustness` as typed: figures, resuming, limits, pictures, and what it refuses."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hilgui.cli import main
from hilgui.errors import CallWrong
from hilgui.pipeline import RunPlan
from hilgui.records import Role
from hilgui.robustness import picture_path, read_result, suite
from hilgui.robustness.looking import Stopped
from hilgui.robustness.question import Question
from hilgui.robustness.suite import measure
from hilgui.settings import load_settings
from tests.dark_street import write_light_model, write_street


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Give the street, with two models beside it."""
    folder, _ = write_street(tmp_path)
    write_light_model(tmp_path / "light.onnx")
    write_light_model(tmp_path / "dim.onnx", gain=0.8)
    return folder


def words(street: Path, *more: str) -> list[str]:
    return [
        *("robustness", str(street), "--model", str(street.parent / "light.onnx"), "--fps", "10", "--json"),
        *("--truth", str(street.parent / "street.coco.json"), "--severity", "1,5", *more),
    ]


def test_the_dark_costs_precision_and_the_first_lost_person_is_searched(
    street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dim = str(street.parent / "dim.onnx")
    assert main(words(street, "--corruption", "low_light,white_balance", "--candidate", dim)) == 0
    told = json.loads(capsys.readouterr().out)
    result = read_result(Path(told["folder"]))
    assert result.is_whole
    clean, mpc, rpc = (result.headline(name, Role.BASELINE) for name in ("clean", "mPC", "rPC"))
    assert clean is not None and mpc is not None and rpc is not None
    assert clean.value == 1.0
    dark, coloured = (result.cell(row, "5", Role.BASELINE) for row in ("low_light", "white_balance"))
    assert dark is not None and coloured is not None
    assert coloured.value == 1.0
    assert dark.value is not None and dark.value < 0.9
    values = [cell.value for cell in result.cells if cell.role is Role.BASELINE and cell.row != "clean"]
    assert mpc.value == pytest.approx(np.mean(values))
    assert rpc.value == pytest.approx(mpc.value / clean.value)
    edges = {(one.row, one.role): one for one in result.tippings}
    found = edges["low_light", Role.BASELINE].severity
    earlier = edges["low_light", Role.CANDIDATE].severity
    assert found is not None and earlier is not None
    assert 0 < earlier < found < 5
    assert edges["low_light", Role.BASELINE].is_monotone
    assert edges["white_balance", Role.BASELINE].severity is None
    (example,) = edges["low_light", Role.BASELINE].examples
    assert [one.fate for one in example.clean_objects] == ["found"]
    assert [one.fate for one in example.changed_objects] == ["missed"]
    folder = Path(told["folder"])
    assert picture_path(folder, example.clean) is not None
    assert picture_path(folder, example.changed) is not None
    assert b"low_light" in (folder / "heat-map-baseline.svg").read_bytes()
    assert cv2.imread(str(folder / "heat-map-candidate.png")) is not None


def test_the_same_call_is_answered_from_the_store_and_again_measures_anew(
    street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = words(street, "--corruption", "low_light", "--no-search")
    assert main(call) == 0
    first = json.loads(capsys.readouterr().out)
    document = Path(first["folder"]) / "result.json"
    before = document.stat().st_mtime_ns
    assert main(call) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == first["folder"]
    assert document.stat().st_mtime_ns == before
    assert main([*call, "--again"]) == 0
    assert document.stat().st_mtime_ns != before
    again = json.loads(capsys.readouterr().out)
    assert again["cells"] == first["cells"]


def test_what_was_stopped_goes_on_where_it_was(street: Path, tmp_path: Path) -> None:
    plan = RunPlan(
        source=street,
        baseline=street.parent / "light.onnx",
        out=tmp_path,
        settings=load_settings(),
        truth=street.parent / "street.coco.json",
        fps=10.0,
    )
    question = Question((plan,), ("low_light", "frame_drop"), (1.0, 5.0))
    asked = iter([False] * 14 + [True] * 100)
    out = tmp_path / "result"
    with pytest.raises(Stopped):
        measure(question, tmp_path, lambda _done, _total: None, folder=out, is_stopped=lambda: next(asked))
    part = read_result(out)
    assert not part.is_whole
    assert [(cell.row, cell.column) for cell in part.cells] == [("clean", ""), ("low_light", "1")]
    steps: list[tuple[int, int]] = []
    measure(question, tmp_path, lambda done, total: steps.append((done, total)), folder=out)
    whole = read_result(out)
    assert whole.is_whole
    assert steps[-1][0] == steps[-1][1]
    straight = measure(question, tmp_path, lambda _done, _total: None, folder=tmp_path / "straight")
    assert [cell for cell in read_result(straight).cells if cell.row != "clean"] == [
        cell for cell in whole.cells if cell.row != "clean"
    ]
    assert read_result(straight).headlines == whole.headlines
    with pytest.raises(CallWrong, match="another question"):
        measure(replace(question, seed=4), tmp_path, lambda _done, _total: None, folder=out)


@pytest.mark.parametrize(
    ("limit", "code", "verdict"), [("rPC >= 0.1", 0, "PASS"), ("mPC >= 0.99", 1, "FAIL"), ("clean == 1", 0, "PASS")]
)
def test_a_limit_gives_a_verdict(
    street: Path, capsys: pytest.CaptureFixture[str], limit: str, code: int, verdict: str
) -> None:
    assert main(words(street, "--corruption", "low_light", "--no-search", "--limit", limit)) == code
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


def test_a_frame_that_does_not_arrive_shows_nothing(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(street, "--corruption", "frame_drop", "--seed", "1", "--frames", "6")) == 0
    result = json.loads(capsys.readouterr().out)
    worst = next(cell for cell in result["cells"] if (cell["row"], cell["column"]) == ("frame_drop", "5"))
    assert worst["value"] < 1
    assert result["tippings"] == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--corruption", "fogg"), "did you mean fog"),
        (("--suite", "everything"), "there are corruptions, bench, all"),
        (("--corruption", "fog", "--severity", "6"), "above 0 up to 5"),
        (("--limit", "recall >= 1"), "clean, mPC or rPC"),
        (("--measure", "map_75"), "map_50_95"),
        (("--truth", "none.json"), "there are no labels"),
    ],
)
def test_a_wrong_call_is_a_sentence(
    street: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], sentence: str
) -> None:
    assert main(words(street, *more)) in (2, 4)
    assert sentence in json.loads(capsys.readouterr().out)["error"]


def test_results_are_listed_and_shown_again(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(street, "--corruption", "low_light", "--no-search")) == 0
    capsys.readouterr()
    assert main(["robustness", "--list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert row["kind"] == "corruptions"
    assert main(["robustness", "--show", "last"]) == 0
    assert "low_light" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_a_report_is_made_of_a_result(
    street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    dim = str(street.parent / "dim.onnx")
    assert main(words(street, "--corruption", "low_light", "--candidate", dim)) == 0
    name = Path(json.loads(capsys.readouterr().out)["folder"]).name
    out = tmp_path / f"report.{form}"
    assert main(["report", name, "--format", form, "--out", str(out)]) == 0
    content = out.read_bytes()
    if form == "pdf":
        assert content.startswith(b"%PDF")
    else:
        page = content.decode()
        assert "MEASURED" in page
        assert "low light, first lost" in page
        assert page.count("data:image/jpeg") >= 2
        assert "candidate minus baseline" in page


def test_ctrl_c_ends_with_130_and_says_that_it_goes_on(
    street: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*given: Any, is_stopped: Callable[[], bool], **more: Any) -> Path:
        signal.raise_signal(signal.SIGINT)
        return measure(*given, is_stopped=is_stopped, **more)

    monkeypatch.setattr(suite, "measure", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert main(words(street, "--corruption", "low_light")) == 130
    assert "goes on where it was" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before
