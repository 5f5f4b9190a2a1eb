"""`hilgui attack` and `hilgui audit` as they are called: documents, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.attacks import twin
from hilgui.cli.app import main
from hilgui.resources import shipped
from hilgui.robustness import read_result

MODEL, DAY = str(shipped("assets/demo/baseline.onnx")), str(shipped("assets/demo/day.mp4"))


def test_squares_against_noise_with_defences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "result"
    call = ["attack", "square", MODEL, DAY, "--count", "2", "--queries", "30", "--epsilon", "0.1", "--defences"]
    code = main([*call, "--baseline", str(shipped("assets/demo/candidate.onnx")), "--out", str(out), "--json"])
    made = json.loads(capsys.readouterr().out)
    assert code in (0, 3)
    assert (code == 3) == (made["was_strong"] is False)
    assert [each["name"] for each in made["conditions"]] == ["clean", "noise", "square"]
    assert made["conditions"][0]["at_stake"] > 0
    assert [each["name"] for each in made["defences"]][-1] == "ensemble with the baseline"
    result = read_result(out)
    assert result.rows[:2] == ("random noise", "Square")
    assert "Before and after" in (out / "report.html").read_text(encoding="utf-8")


def test_a_patch_is_searched_measured_and_ready_to_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "patch"
    call = ["attack", "patch", MODEL, DAY, "--class", "car", "--side-mm", "900", "--count", "6", "--tries", "6"]
    code = main([*call, "--out", str(out), "--json"])
    made = json.loads(capsys.readouterr().out)
    assert code == (0 if made["check"]["is_good"] else 3)
    assert [each["patch"] for each in made["worn"]] == ["grey", "random", "optimised"]
    assert (out / "patch.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "pictures" / "patch.png").is_file()
    assert main([*call[:5], "person", "--side-mm", "5000", "--count", "2"]) == 2


def test_a_white_box_attack_without_pytorch_is_a_broken_bench_and_not_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin, "missing", lambda: "torch")
    assert main(["attack", "fgsm", MODEL, DAY, "--count", "2"]) == 4
    assert "hilgui[attacks]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--epsilon", "2"], "ε is a share"),
        (["--goal", "win"], "hide"),
        (["--baseline", MODEL], "--defences"),
        (["--class", "dragon"], "no class 'dragon'"),
    ],
)
def test_a_wrong_call_gets_a_sentence(more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", "noise", MODEL, DAY, "--count", "2", *more]) == 2
    assert sentence in capsys.readouterr().err


def test_an_audit_ends_with_one_while_a_high_finding_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["audit", MODEL, "--suite", "C-fires-magenta,F-memory", "--count", "6", "--out", str(tmp_path), "--json"]
    assert main(call) == 1  # the demo's baseline takes magenta for an object: a real weakness
    made = json.loads(capsys.readouterr().out)
    assert {each["id"]: each["status"] for each in made["findings"]} == {
        "C-fires-magenta": "new",
        "F-memory": "passed",
    }
    assert "magenta" in Path(made["report"]).read_text(encoding="utf-8")
