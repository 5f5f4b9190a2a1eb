"""Checks of a bench: the newest result is kept, and one that was changed afterwards is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.evidence import EventKind, Journal
from hilgui.evidence.tool_validation import keep_validation, validations


def test_the_newest_result_is_kept_and_noted(tmp_path: Path) -> None:
    keep_validation(tmp_path, "selfcheck", {"holds": False}, by="ada")
    keep_validation(tmp_path, "selfcheck", {"holds": True, "latency_ms": float("nan")}, by="bob")

    assert [(one["holds"], one["latency_ms"], one["in_journal"]) for one in validations(tmp_path)] == [
        (True, None, True)
    ]
    assert [event.facts["holds"] for event in Journal(tmp_path).events(EventKind.SELF_TEST)] == [False, True]


def test_a_result_that_was_changed_is_told(tmp_path: Path) -> None:
    keep_validation(tmp_path, "rig-selftest", {"holds": False}, by="ada")
    place = tmp_path / "tool-validation" / "rig-selftest.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "holds": True}))

    assert [one["in_journal"] for one in validations(tmp_path)] == [False]


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no name of a check"):
        keep_validation(tmp_path, "../x", {}, by="eve")
