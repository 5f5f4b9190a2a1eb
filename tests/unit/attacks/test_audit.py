"""The audit finds what was planted, finds none of it where nothing was, and says what closed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hilgui.attacks.audit import experiments, posters
from hilgui.attacks.audit.document import audit_of, document_of, result_of, with_pictures
from hilgui.attacks.audit.experiments import EXPERIMENTS
from hilgui.attacks.audit.finding import Audit, Severity, Status, read_audit
from hilgui.attacks.audit.probes import CHANGED
from hilgui.attacks.audit.run import AUDIT, REPRODUCERS, audit, chosen, frames_of
from hilgui.attacks.audit.sight import Sight
from hilgui.cli import main
from hilgui.errors import CallWrong, StoreBroken
from hilgui.inference import Model
from hilgui.report.document_html import html_of
from hilgui.resources import shipped
from hilgui.robustness import write_result
from hilgui.robustness.result import from_json, to_json
from tests.unit.attacks.planted import WEAKNESSES, plant

PROBES = ",".join(WEAKNESSES.values())
DAY = "assets/demo/day.mp4"


def _audited(path: Path, folder: Path, suite: str = PROBES) -> Audit:
    with closing(Model.load(path, provider="cpu")) as model:
        images = list(frames_of(shipped(DAY), 6).values())
        return audit(model, images, folder, suite=suite, pictures="6 of day", seed=0, tell=lambda done, total: None)


def _standing(made: Audit) -> set[str]:
    return {one.id for one in made.standing}


def test_every_planted_weakness_is_found_and_a_model_without_them_closes_them(tmp_path: Path) -> None:
    weak = plant(tmp_path / "weak", list(WEAKNESSES))
    made = _audited(weak, tmp_path / "audit")
    assert _standing(made) == set(WEAKNESSES.values())
    assert made.exit_code == 1
    assert all(one.status is Status.NEW for one in made.standing)
    kept = [one for one in made.standing if one.reproducer]
    assert {one.id for one in kept} >= {"A-darkness", "C-fires-red", "F-slow", "F-memory"}
    for one in kept:
        assert (tmp_path / "audit" / REPRODUCERS / f"{one.reproducer}.npz").is_file()
        assert (tmp_path / "audit" / one.picture).is_file()

    assert all(one.status is Status.OPEN for one in _audited(weak, tmp_path / "audit").standing)

    sound = shipped("assets/demo/baseline.onnx")
    mended = _audited(sound, tmp_path / "audit")
    assert not mended.standing
    assert mended.exit_code == 0
    assert {one.status for one in mended.findings} == {Status.CLOSED}
    assert mended.before == made.model_sha256
    darkness = next(one for one in mended.findings if one.id == "A-darkness")
    assert darkness.retest == "the stored reproducer does nothing any more"


def test_a_weakness_whose_reproducer_is_gone_is_not_closed(tmp_path: Path) -> None:
    made = _audited(plant(tmp_path / "weak", ["red"]), tmp_path / "audit", "C-fires-red")
    (found,) = made.standing
    (tmp_path / "audit" / REPRODUCERS / f"{found.reproducer}.npz").write_bytes(b"PK damaged")
    again = _audited(shipped("assets/demo/baseline.onnx"), tmp_path / "audit", "C-fires-red")
    (still,) = again.standing
    assert still.status is Status.OPEN and still.retest == "the stored reproducer is gone or damaged"


def test_what_another_model_passed_is_no_pass_of_this_one(tmp_path: Path) -> None:
    statuses = []
    for model, suite in (("baseline", "F-memory"), ("baseline", "E-files"), ("candidate", "E-files")):
        made = _audited(shipped(f"assets/demo/{model}.onnx"), tmp_path, suite)
        statuses.append({one.id: one.status for one in made.findings}["F-memory"])
    assert statuses == [Status.PASSED, Status.PASSED, Status.NOT_RUN]
    assert made.exit_code == 3


def test_what_could_not_be_tried_is_no_pass(tmp_path: Path) -> None:
    with closing(Model.load(shipped("assets/demo/baseline.onnx"), provider="cpu")) as model:
        (image,) = frames_of(shipped(DAY), 1).values()
        made = audit(model, [image], tmp_path, suite="F-memory", pictures="1", seed=0, tell=lambda done, total: None)
    (one,) = made.findings
    assert (one.status, made.exit_code) == (Status.NOT_RUN, 3)
    page = html_of(document_of(made, tmp_path))
    assert "NOT CONCLUSIVE" in page and "F-memory, not run: there was nothing to try it on" in page


@pytest.mark.parametrize(
    ("hits", "trials", "status", "code"),
    [
        (12, 12, Status.NEW, 1),
        (5, 12, Status.UNCLEAR, 3),  # 19 % to 68 % reaches over the limit of 40 %
        (0, 4, Status.UNCLEAR, 3),  # up to 49 %: too few pictures
        (0, 12, Status.PASSED, 0),
    ],
)
def test_a_rate_that_is_not_told_apart_from_the_limit_is_no_pass(
    hits: int, trials: int, status: Status, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallen = iter([(1, 1)] * hits + [(0, 1)] * (trials - hits))
    monkeypatch.setattr(Sight, "fallen", lambda self, pair: next(fallen))
    with closing(Model.load(shipped("assets/demo/baseline.onnx"), provider="cpu")) as model:
        images = list(frames_of(shipped(DAY), 1).values()) * trials
        made = audit(model, images, tmp_path, suite="C-fires-red", pictures="", seed=0, tell=lambda done, total: None)
    (one,) = made.findings
    assert (one.status, made.exit_code) == (status, code)
    page = html_of(document_of(made, tmp_path))
    assert ("NOT CONCLUSIVE" in page) == (code == 3) and f"of {int(code == 3)} nothing can be told" in page


@pytest.mark.parametrize("probe", ["C-fires-blocks", "D-noise", "D-square", "E-nothing"])
def test_the_seed_decides_what_is_drawn_by_chance(probe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "_QUERIES", 2)
    monkeypatch.setattr(Sight, "fallen", lambda self, pair: (1, 1))
    monkeypatch.setattr(Sight, "speaks", lambda self, inference: 1)
    (one,) = chosen(probe)
    with closing(Model.load(shipped("assets/demo/baseline.onnx"), provider="cpu")) as model:
        images, drawn = list(frames_of(shipped(DAY), 2).values()), []
        for seed in (1, 1, 2):
            pair = one.run(Sight(model), images, seed).pair
            assert pair is not None
            drawn.append(pair.changed)
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[1], drawn[2])


@pytest.mark.slow
@pytest.mark.parametrize(("weakness", "probe"), WEAKNESSES.items())
def test_each_weakness_alone_is_found_alone(weakness: str, probe: str, tmp_path: Path) -> None:
    assert _standing(_audited(plant(tmp_path / weakness, [weakness]), tmp_path / "audit")) == {probe}


def test_report_and_result_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weak = plant(tmp_path / "weak", ["red"])
    made = _audited(weak, tmp_path / "audit", "C-fires-red,E-numbers")
    assert read_audit((tmp_path / "audit" / AUDIT).read_bytes()) == made
    page = html_of(document_of(made, tmp_path / "audit"))
    assert "sees an object where a red patch is" in page
    assert "OPEN" in page
    with closing(Model.load(weak, provider="cpu")) as model:
        frames = frames_of(shipped(DAY), 6)
        result = result_of(made, model.facts, shipped(DAY), ("hilgui", "audit"), frames)
    pictured = with_pictures(result, made, tmp_path / "audit", tmp_path / "result", frames)
    again = from_json(to_json(pictured))
    cell = again.cell("C-fires-red", "rate", again.roles[0])
    assert cell is not None
    assert cell.value == 1.0
    (example,) = cell.examples
    assert example.seq in frames and (tmp_path / "result" / example.changed).is_file()
    assert again.drives[0].frames == 6
    assert [check.is_good for check in again.checks] == [False, True]
    write_result(tmp_path / "result", pictured)
    assert audit_of(again) == made
    assert main(["report", str(tmp_path / "result"), "--out", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    capsys.readouterr()
    assert main(["robustness", "--show", str(tmp_path / "result")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "✕ C-fires-red (high): new: sees an object where a red patch is; 6 of 6 pictures" in said
    assert "✓ E-numbers (high): passed: " in said


def test_a_suite_is_full_or_classes_or_probes() -> None:
    assert len(chosen("full")) == len(CHANGED) + len(EXPERIMENTS)
    assert {one.id[0] for one in chosen("a,E")} == {"A", "E"}
    assert [one.id for one in chosen("F-slow")] == ["F-slow"]
    for strange in ("everything", "ABC"):
        with pytest.raises(CallWrong, match="A-darkness"):
            chosen(strange)


def test_ids_are_unique_and_every_class_has_probes() -> None:
    probes = chosen("full")
    assert len({one.id for one in probes}) == len(probes)
    assert {one.id[0] for one in probes} == set("ABCDEF")
    assert all(one.id[0] == one.kind.value[0] and isinstance(one.severity, Severity) for one in probes)


def test_a_damaged_audit_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / AUDIT).write_text('{"model": 1')
    with pytest.raises(StoreBroken, match="move it away"):
        _audited(shipped("assets/demo/baseline.onnx"), tmp_path, "F-memory")


@pytest.mark.parametrize("make", [posters.poster, posters.van, posters.reflection])
def test_rendered_things_change_the_picture_only_where_they_say(make: object) -> None:
    image = np.full((270, 480, 3), 90, np.uint8)
    made, region = make(image, np.random.default_rng(1))  # type: ignore[operator]
    x1, y1, x2, y2 = (int(value) for value in region)
    assert (made[y1:y2, x1:x2] != image[y1:y2, x1:x2]).any()
    if make is not posters.van:  # the van itself is larger than the painting on it
        made[y1:y2, x1:x2] = 90
        assert (made == image).all()
    assert 0 <= x1 < x2 <= 480
    assert 0 <= y1 < y2 <= 270
