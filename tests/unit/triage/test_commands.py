"""Triage on the command line."""

import json
from pathlib import Path

import pytest

from hilgui.cli.app import main
from hilgui.settings import load_settings
from tests.unit.triage.many import make_run


@pytest.fixture
def run() -> Path:
    return make_run(load_settings().runs, 12, "20260101-a", weather="rain")


def told(capsys, *words: str) -> dict:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_decision_is_made_shown_filtered_and_taken_back(run, capsys):
    made = told(capsys, "triage", run.name, "3", "5-6", "--state", "label_error", "--note", "late", "--tag", "Fog")
    assert made["findings"]["5"] == {"state": "label_error", "note": "late", "tags": ["fog"], "assignee": ""}
    listed = told(capsys, "findings", run.name, "--state", "label_error", "--tag", "fog")["findings"]
    assert {each["number"] for each in listed} == {3, 5, 6} and listed[0]["triage"]["note"] == "late"
    told(capsys, "triage", run.name, "3", "--tag", "rain", "--untag", "fog", "--assignee", "Bo")
    assert told(capsys, "findings", "all", "--assignee", "Bo")["findings"][0]["triage"]["tags"] == ["rain"]
    undone = told(capsys, "triage", "undo", run.name, "3")
    assert undone["findings"]["3"]["tags"] == ["fog"]
    changes = told(capsys, "triage", "history", run.name)["changes"]
    assert [len(change["findings"]) for change in changes] == [3, 1, 1] and changes[2]["undoes"] == changes[1]["id"]


def test_people_read_state_and_tags_in_the_table(run, capsys):
    assert main(["triage", run.name, "2", "--state", "accepted", "--tag", "known"]) == 0
    assert "finding 2: accepted · #known" in capsys.readouterr().out
    assert main(["findings", run.name, "--state", "accepted"]) == 0
    table = capsys.readouterr().out
    assert "state" in table and "accepted" in table
    assert main(["triage", "history", run.name]) == 0
    assert "accepted" in capsys.readouterr().out


def test_findings_are_told_as_stories(run, capsys):
    told_as = told(capsys, "findings", run.name, "--stories")
    assert told_as["findings"] == 12 and told_as["stories"]
    assert main(["findings", run.name, "--stories"]) == 0
    assert "12 findings in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["triage", "last", "99", "--state", "accepted"], "no finding 99"),
        (["triage", "last", "1"], "nothing is decided"),
        (["triage", "last", "x", "--state", "open"], "no number"),
        (["triage", "last", "1", "--state", "odd"], "there is no state"),
        (["triage", "undo", "last"], "nothing to take back"),
        (["findings", "last", "--kind", "strange"], "strange"),
        (["findings", "last", "--severity", "awful"], "low, medium, high"),
        (["findings", "last", "--like", "zz"], "16 hex digits"),
        (["findings", "last", "--order", "beauty"], "cannot be ordered"),
    ],
)
def test_a_wrong_call_is_answered_with_a_sentence(run, capsys, words, says):
    assert main(words) == 2
    assert says in capsys.readouterr().err
