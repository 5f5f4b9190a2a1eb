"""The command line as an engineer types it: documents, exit codes, one sentence when something is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from hilgui.cli import main
from hilgui.cli.replaying import read_list

from .tiny import write_drive, write_model


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Give a folder with a drive, its labels and two models."""
    write_drive(tmp_path / "drive.mp4")
    write_model(tmp_path / "old.onnx")
    write_model(tmp_path / "new.onnx", score=0.3)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def replay(bench: Path, *more: object) -> list[object]:
    drive, old, new = bench / "drive.mp4", bench / "old.onnx", bench / "new.onnx"
    return ["replay", drive, "--baseline", old, "--candidate", new, "--provider", "cpu", "--out", bench / "runs", *more]


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code, out, _ = call(capsys, *arguments)
    return code, json.loads(out)


def test_a_replay_prints_one_document_with_the_promised_names(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = document(
        capsys, *replay(bench, "--json", "--operator", "Ada", "--ticket", "REQ-1", "--ticket", "REQ-2")
    )
    assert code == 0 and told["verdict"] == "PASS"
    assert {"captured": 40, "evaluated": 40, "dropped": 0, "skipped": 0, "with_truth": 40}.items() <= told[
        "frames"
    ].items()
    assert told["fps"] > 0
    for role in ("baseline", "candidate"):
        model = told["models"][role]
        assert {"name", "sha256", "adapter", "provider", "latency_ms", "detections", "detection"} <= set(model)
        assert {"p50", "p99"} <= set(model["latency_ms"])
        assert {"map_50_95", "map_50", "map_75"} <= set(model["detection"])
    assert told["models"]["baseline"]["detections"] == 40
    assert told["findings"]["missed_critical"] == 1
    assert told["people"]["operator"] == "Ada" and told["people"]["tickets"] == ["REQ-1", "REQ-2"]
    code, shown = document(capsys, "runs", "show", told["run"], "--json")
    assert code == 0 and shown == told


def test_without_truth_and_candidate_these_are_null(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["replay", bench / "drive.mp4", "--baseline", bench / "old.onnx", "--truth", "none", "--json"]
    code, told = document(capsys, *arguments, "--out", bench / "runs", "--provider", "cpu")
    assert code == 0
    assert told["models"]["candidate"] is None and told["models"]["baseline"]["detection"] is None
    assert told["frames"]["with_truth"] == 0


def test_a_queue_runs_every_drive_and_goes_on_after_a_broken_one(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "broken.mp4").write_bytes(b"nothing")
    (bench / "list.txt").write_text("# two drives\ndrive.mp4\n\nbroken.mp4\ndrive.mp4\n")
    arguments = ["replay", "--list", bench / "list.txt", "--baseline", bench / "old.onnx", "--provider", "cpu"]
    code, out, err = call(capsys, *arguments, "--out", bench / "runs", "--json")
    told = json.loads(out)
    assert code == 4
    assert [run["verdict"] for run in told["runs"]] == ["PASS", "ERROR", "PASS"]
    assert "broken.mp4" in err and "broken.mp4" in told["runs"][1]["error"]


def test_runs_findings_comparison_and_exports_of_a_stored_run(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = document(capsys, *replay(bench, "--json"))
    run = told["run"]
    code, listed = document(capsys, "runs", "list", "--in", bench / "runs", "--json")
    assert code == 0 and [each["folder"] for each in listed["runs"]] == [run]
    code, found = document(capsys, "findings", run, "--kind", "missed_critical", "--json")
    assert code == 0 and [finding["role"] for finding in found["findings"]] == ["candidate"]
    assert found["findings"][0]["clip_first"] == 0
    code, compared = document(capsys, "compare", run, run, "--json")
    assert code == 0 and compared["findings"]["new"] == []
    for form in ("jsonl", "csv", "html", "junit"):
        code, out, _ = call(capsys, "export", run, "--format", form)
        assert code == 0 and Path(out.strip()).stat().st_size > 0
    for arguments in (
        ("runs", "show", run),
        ("findings", run),
        ("compare", run, run),
        ("runs", "list", "--in", bench / "runs"),
    ):
        code, out, _ = call(capsys, *arguments)
        assert code == 0 and out.strip()


def strange_model(path: Path) -> Path:
    """Write a sound network whose outputs no adapter knows."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "strange",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_a_comma(path: Path) -> None:
    path.write_text(path.read_text().replace('"height": 48},', '"height": 48}', 1))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("drive.mp4", cut),
        ("old.onnx", lambda path: path.write_bytes(b"\x08\x07garbage" * 40)),
        ("new.onnx", strange_model),
        ("drive.coco.json", lose_a_comma),
        ("drive.mp4", lambda path: path.unlink()),
        ("new.onnx", lambda path: path.unlink()),
        ("old.yaml", lambda path: path.write_text("schema: hilgui/model.v1\nadaptor: yolox\n")),
    ],
    ids=[
        "cut video",
        "garbage model",
        "strange model",
        "lost comma",
        "no video",
        "no model",
        "card with a typing mistake",
    ],
)
def test_a_broken_file_is_one_sentence_that_names_it(
    bench: Path, capsys: pytest.CaptureFixture[str], name: str, damage: Any
) -> None:
    damage(bench / name)
    before = sorted(path for path in bench.rglob("*"))
    code, out, err = call(capsys, *replay(bench))
    complaints = [line for line in err.splitlines() if line.startswith("hilgui: ")]
    assert code == 4 and out == ""
    assert len(complaints) == 1 and name in complaints[0]
    assert "Traceback" not in err
    assert sorted(path for path in bench.rglob("*")) == before


WRONG_CALLS = pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["replay"], "--baseline"),
        (["replay", "--baseline", "m.onnx"], "drive"),
        (["replay", "a.mp4", "--baseline", "m.onnx", "--speed", "fast"], "speed"),
        (["replay", "a.mp4", "--baseline", "m.onnx", "--speed", "1e9"], "up to 1000"),
        (["replay", "a.mp4", "--baseline", "m.onnx", "--provider", "tpu"], "command line: provider"),
        (["replay", "a.mp4", "--baseline", "m.onnx", "--class-map", "nosuch"], "there is no class map nosuch"),
        (["runs", "list", "--in", "no-such-folder"], "there is no folder no-such-folder"),
        (["replay", "--no-such-option"], "no-such-option"),
        (["nonsense"], "nonsense"),
        (["runs", "show", "no-such-run"], "no-such-run"),
        (["findings", "last", "--kind", "strange"], "strange"),
        (["export", "last", "--format", "docx"], "last"),
    ],
)


@WRONG_CALLS
def test_a_wrong_call_ends_with_2_and_says_why(
    capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str
) -> None:
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert hint in err and len(err.splitlines()) == 1


@WRONG_CALLS
def test_a_wrong_call_that_asked_for_a_document_gets_one(
    capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str
) -> None:
    code, out, err = call(capsys, *arguments, "--json")
    told = json.loads(out)
    assert code == 2 and (told["verdict"], told["exit_code"]) == ("ERROR", 2)
    assert err == f"hilgui: {told['error']}\n"
    assert hint in told["error"] or "--json" in told["error"]  # export knows no --json


def test_a_home_without_runs_is_no_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "new"))
    code, told = document(capsys, "runs", "list", "--json")
    assert code == 0 and told["runs"] == []


def test_a_file_that_is_no_recording_is_not_called_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text("{}")
    code, out, err = call(capsys, "sources", "show", tmp_path / "good.json", "--json")
    assert code == 4 and "good.json is not a recording" in err
    assert json.loads(out)["exit_code"] == 4


def test_labels_of_pictures_of_another_size_break_the_run(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = bench / "drive.coco.json"
    labels.write_text(labels.read_text().replace('"width": 64, "height": 48', '"width": 1920, "height": 1080'))
    code, told = document(capsys, *replay(bench, "--json"))
    assert code == 4 and told["exit_code"] == 4
    assert "1920 × 1080" in told["error"] and "64 × 48" in told["error"]


def test_strange_boxes_are_counted(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = bench / "drive.coco.json"
    text = labels.read_text().replace('"bbox": [8, 8, 16, 32]', '"bbox": [5000, 8, 16, 32]', 2)
    labels.write_text(text.replace('"bbox": [8, 8, 16, 32]', '"bbox": [8, 8, 0, 32]', 1))
    code, _, err = call(capsys, *replay(bench))
    assert code == 0
    assert "2 of 40 labelled boxes lie outside" in err and "1 of 40 labelled boxes have no area" in err


def test_a_list_of_drives_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfdrive.mp4\r\n")
    assert read_list(tmp_path / "list.txt") == [tmp_path / "drive.mp4"]


def test_classes_that_nobody_knows_are_a_wrong_call(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, *replay(bench, "--classes", "persn"))
    assert code == 2 and "person" in err


def test_a_provider_asked_for_by_name_that_is_not_there_is_refused(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnxruntime

    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU: the refusal cannot be shown")
    assert "CPUExecutionProvider" in onnxruntime.get_available_providers()
    arguments = replay(bench)
    arguments[arguments.index("cpu")] = "cuda"
    code, _, err = call(capsys, *arguments)
    assert code == 4 and "CUDA" in err.upper()
    assert not list((bench / "runs").glob("*"))


def test_interrupting_a_replay_aborts_it_and_keeps_the_run(bench: Path) -> None:
    import signal
    import time

    command = [sys.executable, "-m", "hilgui", *map(str, replay(bench, "--speed", "0.2", "--json"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not list((bench / "runs").glob("*/run.sqlite")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=240)
    told = json.loads(out)
    assert process.returncode == 130 and told["verdict"] == "ABORTED"
    assert told["frames"]["captured"] == told["frames"]["evaluated"] + told["frames"]["skipped"]
    assert main(["runs", "show", told["run"]]) == 0  # showing it worked


def test_help_names_every_command_and_starts_no_heavy_library() -> None:
    heavy = ("numpy", "cv2", "av", "onnxruntime", "PySide6")
    code = f"import sys, hilgui.cli; hilgui.cli.main(['--help']); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("replay", "demo", "doctor", "runs", "compare", "findings", "export"):
        assert command in done.stdout
    assert done.stdout.strip().endswith("[]")


def test_a_drive_that_moved_is_found_again_by_its_content(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = document(capsys, *replay(bench, "--json"))
    (bench / "elsewhere/deep").mkdir(parents=True)
    write_drive(bench / "elsewhere/drive.mp4", frames=12)  # the same name, another content
    moved = (bench / "drive.mp4").rename(bench / "elsewhere/deep/renamed.mp4")
    code, out, _ = call(capsys, "runs", "relink", told["run"], bench / "elsewhere")
    assert code == 0 and Path(out.strip()) == moved
    _, shown = document(capsys, "runs", "show", told["run"], "--json")
    assert shown["source"]["path"] == str(moved)
    code, _, err = call(capsys, "runs", "relink", told["run"], bench / "runs")
    assert code == 4 and "drive.mp4" in err
