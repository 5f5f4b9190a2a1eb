import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from hilgui.gui.dropped import sort_paths
from hilgui.gui.run_dialog import RunDialog
from hilgui.gui.run_request import RunRequest, command_text, plan_of, problems
from hilgui.records import People
from hilgui.settings import Settings

FULL = RunRequest(
    source="my drives/night.mp4",
    truth="night.coco.json",
    baseline="base.onnx",
    candidate="cand.onnx",
    provider="cpu",
    classes="person, car",
    speed="0.5",
    operator="Ada",
    device_under_test="ECU 7",
    tickets="T-1, T-2",
    notes="wet road",
)

COMMANDS = [
    (RunRequest(), "hilgui replay SOURCE --baseline MODEL --truth none"),
    (
        RunRequest(source="a.mp4", baseline="b.onnx", truth="a.coco.json"),
        "hilgui replay a.mp4 --baseline b.onnx --truth a.coco.json",
    ),
    (
        FULL,
        "hilgui replay 'my drives/night.mp4' --baseline base.onnx --candidate cand.onnx --truth night.coco.json"
        " --provider cpu --classes person,car --speed 0.5 --operator Ada --dut 'ECU 7' --ticket T-1 --ticket T-2"
        " --notes 'wet road'",
    ),
    (
        RunRequest(source="images", baseline="b.onnx", fps="10"),
        "hilgui replay images --baseline b.onnx --truth none --fps 10",
    ),
    (
        RunRequest(source="front.mp4", baseline="b.onnx", beside="left.mp4; rear.mp4@0.12"),
        "hilgui replay front.mp4 --baseline b.onnx --truth none --beside left.mp4 --beside rear.mp4@0.12",
    ),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A drive, labels beside it, and two models; only their names matter here."""
    made = {}
    for field, name in (
        ("source", "night.mp4"),
        ("truth", "night.coco.json"),
        ("baseline", "base.onnx"),
        ("candidate", "cand.onnx"),
    ):
        (tmp_path / name).touch()
        made[field] = str(tmp_path / name)
    return made


@pytest.fixture
def open_dialog(qtbot, theme, memory):
    def opened(given: RunRequest, truth: Path | None = None) -> RunDialog:
        dialog = RunDialog(theme, memory, given=given, find_truth=lambda _source: truth)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    return opened


@pytest.mark.parametrize(("request_", "command"), COMMANDS)
def test_the_command_does_the_same_as_the_form(request_, command):
    assert command_text(request_) == command


def test_the_command_is_understood_by_the_command_line(monkeypatch, files, settings):
    """Every option that the form writes exists, and the plan that comes out is the plan of the form."""
    from typer.testing import CliRunner

    import hilgui.cli.replaying
    from hilgui.cli.app import app

    seen = []
    monkeypatch.setattr(hilgui.cli.replaying, "replay_drives", lambda call, chosen: seen.append((call, chosen)) or 0)
    request = replace(FULL, **files)
    words = shlex.split(command_text(request))[1:]
    result = CliRunner().invoke(app, words, obj={"debug": False}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (call, chosen), plan = seen[0], plan_of(request, settings)
    typed = People(chosen.operator, chosen.bench, chosen.device_under_test, call.notes, call.tickets)
    assert (plan.source, plan.baseline, plan.candidate) == (call.drives[0], call.baseline, call.candidate)
    assert (str(plan.truth), plan.classes, plan.speed, plan.fps) == (call.truth, call.classes, call.speed, call.fps)
    assert (plan.provider, plan.people) == (chosen.provider, typed)


def test_a_form_that_is_right_has_no_problems(files):
    assert problems(RunRequest(**files)) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": ""}, "source"),
        ({"source": "nowhere.mp4"}, "source"),
        ({"truth": "nowhere.json"}, "truth"),
        ({"baseline": ""}, "baseline"),
        ({"candidate": "nowhere.onnx"}, "candidate"),
        ({"speed": "fast"}, "speed"),
        ({"fps": "-3"}, "fps"),
    ],
)
def test_each_wrong_field_is_named(files, change, field):
    found = problems(RunRequest(**{**files, **change}))
    assert [problem.field for problem in found] == [field]
    assert found[0].sentence.endswith(".")


def test_a_model_that_is_not_onnx_is_refused(files):
    assert [problem.field for problem in problems(RunRequest(**{**files, "baseline": files["source"]}))] == ["baseline"]


def test_labels_beside_the_recording_are_proposed(qtbot, open_dialog, files):
    dialog = open_dialog(RunRequest(source=files["source"]), Path(files["truth"]))
    qtbot.waitUntil(lambda: dialog.truth.text == files["truth"])
    assert dialog.truth.hint == "Found beside the recording."
    assert f"--truth {files['truth']}" in dialog.command


def test_labels_that_were_typed_are_never_replaced(qtbot, open_dialog, files):
    dialog = open_dialog(RunRequest(source=files["source"], truth="mine.json"), Path(files["truth"]))
    dialog.source.text = files["source"] + " "
    qtbot.wait(400)
    assert dialog.truth.text == "mine.json"


def test_enter_starts_what_is_right(qtbot, open_dialog, files):
    dialog = open_dialog(RunRequest(**files))
    with qtbot.waitSignal(dialog.accepted):
        qtbot.keyClick(dialog.source.focusProxy(), Qt.Key.Key_Return)
    assert dialog.request == RunRequest(**files)


def test_enter_shows_what_is_wrong_and_goes_there(qtbot, open_dialog, files):
    dialog = open_dialog(RunRequest(source=files["source"], baseline="nowhere.onnx"))
    qtbot.keyClick(dialog.source.focusProxy(), Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert dialog.baseline.hint == "There is no model nowhere.onnx; check the path."
    assert dialog.baseline.isAncestorOf(dialog.focusWidget())


def test_the_command_follows_the_form_and_can_be_copied(qtbot, open_dialog, files):
    dialog = open_dialog(RunRequest(**files))
    dialog.provider.setCurrentIndex(dialog.provider.findData("cpu"))
    dialog.speed.setCurrentText("realtime")
    dialog._copy_command()
    assert dialog.command == QApplication.clipboard().text() == command_text(dialog.request)
    assert dialog.command.endswith("--provider cpu --speed realtime")


def test_the_last_models_are_remembered(open_dialog, files):
    open_dialog(RunRequest(**files)).accept()
    again = open_dialog(RunRequest(source=files["source"]))
    assert (again.baseline.text, again.candidate.text) == (files["baseline"], files["candidate"])


def test_a_frame_rate_is_asked_for_folders_only(open_dialog, files, tmp_path):
    dialog = open_dialog(RunRequest(**files))
    assert not dialog.fps.isEnabled()
    dialog.source.text = str(tmp_path)
    assert dialog.fps.isEnabled()


def test_the_form_fits_a_small_screen(open_dialog, files):
    dialog = open_dialog(RunRequest(**{**files, "baseline": "x" * 300}))
    dialog.accept()
    assert dialog.sizeHint().height() < 660
    assert dialog.minimumSizeHint().width() < 1000


def test_paths_are_sorted_by_what_they_are(files, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").touch()
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "1.txt").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.sqlite").touch()
    (tmp_path / "letter.pdf").touch()
    names = ("images", "labels", "run", "letter.pdf", "gone.mp4")
    found = sort_paths([*map(Path, files.values()), *(tmp_path / name for name in names)])
    assert [path.name for path in found.recordings] == ["night.mp4", "images"]
    assert [path.name for path in found.truths] == ["night.coco.json", "labels"]
    assert [path.name for path in found.models] == ["base.onnx", "cand.onnx"]
    assert [path.name for path in found.runs] == ["run"]
    assert [path.name for path in found.strange] == ["letter.pdf", "gone.mp4"]


CAMERAS = ["camera:uvc:0", "camera:rehearsal:/drives/night.mp4", "camera:rtsp://10.0.0.7/stream#fps=30"]


@pytest.mark.parametrize("address", CAMERAS)
def test_a_camera_is_a_source(files, address):
    request = RunRequest(**{**files, "source": address})
    assert problems(request) == []
    assert address in command_text(request)


def test_the_word_none_is_no_path_of_labels(files, settings):
    request = RunRequest(**{**files, "truth": "none"})
    assert problems(request) == []
    assert plan_of(request, settings).truth is None
    assert "--truth none" in command_text(request)


def test_the_database_of_a_run_stands_for_its_folder(tmp_path):
    (tmp_path / "run.sqlite").touch()
    assert sort_paths([tmp_path / "run.sqlite"]).runs == (tmp_path,)


def test_further_cameras_are_checked_and_planned_with_their_offsets(files: dict[str, str]) -> None:
    request = RunRequest(**files, beside=f"{files['candidate']}@-0.5; {files['baseline']}")

    plan = plan_of(request, Settings())

    assert not [each for each in problems(request) if each.field == "beside"]
    assert plan.beside == (Path(files["candidate"]), Path(files["baseline"]))
    assert plan.offsets_s == (-0.5, 0.0)
    gone = problems(replace(request, beside="nowhere.mp4@1; rear.mp4@1e9"))
    assert [each.field for each in gone] == ["beside", "beside"]
    assert "nowhere.mp4" in gone[0].sentence and "at most a day" in gone[1].sentence
