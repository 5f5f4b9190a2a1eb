"""People at the Audit tab: they see what stands, choose a finding, read what helps, copy and save."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.evaluation import Interval
from hilgui.gui.robustness.audit_view import AuditView
from hilgui.records import Role
from hilgui.robustness import AUDIT, Cell, Drive, Example, Result, Subject, write_picture


def probe(status: str, severity: str = "medium", retest: str = "") -> dict[str, object]:
    return {
        "title": "loses objects in fog", "severity": severity, "status": status, "limit": 0.5,
        "words": "9 of 12 objects", "retest": retest, "recommendation": "Train with fog.",
    }  # fmt: skip


def audited(pictures: tuple[str, str] = ("", "")) -> Result:
    """Give an audit in which one weakness passed, one stands, one closed, one is not told."""
    findings = {
        "A-dirt": probe("passed"),
        "A-fog": probe("open", retest="the stored reproducer still works"),
        "C-fires-red": probe("closed", "high"),
        "D-fgsm": probe("not run"),
        "E-numbers": probe("new", "high"),
    }
    example = Example("day.mp4", 7, "loses objects in fog (9 of 12 objects)", *pictures)
    rate = Interval(0.47, 0.91, 0.95, "trial", 12, "Wilson")
    cells = (
        Cell("A-dirt", "rate", Role.BASELINE, 0.1),
        Cell("A-fog", "rate", Role.BASELINE, 0.75, rate, 12, examples=(example,)),
        Cell("C-fires-red", "rate", Role.BASELINE, 0.0),
        Cell("E-numbers", "rate", Role.BASELINE, 1.0),
    )
    return Result(
        kind=AUDIT, id="audit-1", created="2026-11-25T12:00:00+00:00", version="1", title="audit",
        question={"findings": findings}, command=(), models=(Subject(Role.BASELINE, "m", "m.onnx", "ab"),),
        drives=(Drive("day.mp4", "day.mp4", "", "", 12),), measure="share of trials in which it works",
        rows=tuple(findings), columns=("rate",), cells=cells, better="lower", is_whole=True,
    )  # fmt: skip


@pytest.fixture
def view(qtbot, theme):
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    yield AuditView(theme, AUDIT, parent)  # the parent lives as long as the test


def test_what_stands_is_first_and_the_sentence_counts(view, tmp_path: Path) -> None:
    view.show_result(tmp_path, audited())
    assert view.words.text() == (
        "2 weaknesses stand, 1 of high severity; 1 closed, 1 passed, of 1 nothing can be told."
    )
    assert [row[0].text for row in view.findings.rows] == ["E-numbers", "A-fog", "D-fgsm", "C-fires-red", "A-dirt"]
    fog = [cell.text for cell in view.findings.rows[1]]
    assert fog == ["A-fog", "medium", "✕ open", "75%", "47% … 91%", "50%", "loses objects in fog"]
    assert [cell.text for cell in view.findings.rows[2]][2:5] == ["? not run", "–", "–"]


def test_a_finding_shows_its_pictures_and_what_helps(view, tmp_path: Path) -> None:
    _, data = cv2.imencode(".png", np.full((40, 60, 3), 90, np.uint8))
    pictures = tuple(write_picture(tmp_path, f"{name}.png", data.tobytes()) for name in ("clean", "changed"))
    view.show_result(tmp_path, audited(pictures))
    view.show_worst()
    assert view.details.text().splitlines() == [
        "loses objects in fog: 9 of 12 objects", "the stored reproducer still works", "Recommended: Train with fog.",
    ]  # fmt: skip
    assert [one.viewport.image for one in view.pictures.views] == [(60, 40), (60, 40)]
    view.findings.asked.emit("D-fgsm")
    assert all(one._problem == "Of this probe there is no picture." for one in view.pictures.views)
    assert "Recommended" not in view.details.text()


def test_table_and_rates_are_taken_along_and_an_older_audit_is_shown(view, qapp, tmp_path: Path) -> None:
    view.show_result(tmp_path, audited())
    assert view.copy() == "Findings, those that stand first"
    assert "A-fog\tmedium\t✕ open\t75%" in qapp.clipboard().text()
    (made,) = view.save(tmp_path / "audit.svg")
    assert "A-fog" in made.read_text()
    old = audited()
    old.question.clear()
    view.show_result(tmp_path, old)
    assert [cell.text for cell in view.findings.rows[1]][:4] == ["A-fog", "–", "–", "75%"]
