"""The formats and command lines of docs/exports.md are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilgui.cli.app import main
from hilgui.report import formats

GUIDE = Path(__file__).parents[3] / "docs" / "exports.md"


def test_the_guide_tells_of_every_format_that_is_announced() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("## Exports")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(formats())


def test_the_commands_of_the_guide_run(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text(encoding="utf-8")
    assert "    hilgui export last --format FORMAT [--out FILE_OR_FOLDER]" in text
    for form in formats():
        assert main(["export", str(run_folder), "--format", form, "--out", f"out-{form}"]) == 0
    commands = re.findall(r"`hilgui (report (?:last|RUN_A RUN_B) --format \w+)`", text)
    assert len(commands) == 2
    for command in commands:
        words = [str(run_folder) if word in ("last", "RUN_A", "RUN_B") else word for word in command.split()]
        assert main(words) == 0
