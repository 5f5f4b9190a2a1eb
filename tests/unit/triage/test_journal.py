import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from hilgui.errors import CallWrong, StoreBroken
from hilgui.records.triage import Triage, TriageState
from hilgui.triage.journal import FILE, Journal, fold, state_named


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run-1"
    folder.mkdir()
    return folder


@pytest.fixture
def journal(run, tmp_path):
    return Journal(run, tmp_path / "home")


def test_a_decision_is_read_back_with_who_and_when(journal):
    made = journal.change([3], who="Ada", state=TriageState.LABEL_ERROR, note="box too low", tags=["Night", "rain "])
    assert journal.states() == {3: Triage(TriageState.LABEL_ERROR, "box too low", ("night", "rain"), "")}
    (line,) = journal.history()
    assert line == made and line.who == "Ada" and line.when.endswith("+00:00")


def test_a_later_change_touches_only_what_it_names(journal):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED, note="known", assignee="Bo")
    journal.change([1, 2], who="Bo", tags=["fog"])
    assert journal.states()[1] == Triage(TriageState.ACCEPTED, "known", ("fog",), "Bo")
    assert journal.states()[2] == Triage(tags=("fog",))


def test_undo_takes_back_the_newest_change_as_a_whole_and_keeps_the_history(journal):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED)
    journal.change([1, 2], who="Ada", state=TriageState.DUPLICATE)
    assert journal.undo(who="Bo") is not None
    assert journal.states() == {1: Triage(TriageState.ACCEPTED)}
    assert journal.undo(who="Bo") is not None
    assert journal.undo(who="Bo") is None
    assert journal.states() == {}
    assert [change.who for change in journal.history()] == ["Ada", "Ada", "Bo", "Bo"]


def test_undo_of_one_finding_leaves_the_others(journal):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED)
    journal.change([2], who="Ada", state=TriageState.MODEL_FAULT)
    journal.undo(who="Ada", number=1)
    assert journal.states() == {2: Triage(TriageState.MODEL_FAULT)}


def test_a_clock_that_is_set_back_does_not_change_the_order(journal):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED, now=datetime(2026, 5, 1, tzinfo=UTC))
    journal.change([1], who="Ada", state=TriageState.MODEL_FAULT, now=datetime(2026, 4, 1, tzinfo=UTC))
    assert journal.states()[1].state is TriageState.MODEL_FAULT


def test_a_line_that_a_crash_cut_off_is_left_out_and_the_next_one_begins_anew(run, journal):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED)
    with (run / FILE).open("a") as file:
        file.write('{"id": "ab", "when": "2026')
    journal.change([2], who="Ada", state=TriageState.DUPLICATE)
    assert {number: triage.state for number, triage in journal.states().items()} == {
        1: TriageState.ACCEPTED,
        2: TriageState.DUPLICATE,
    }


def test_a_change_that_was_returned_survives_a_kill(run, tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path; from hilgui.triage.journal import Journal\n"
        "from hilgui.records.triage import TriageState\n"
        "Journal(Path(sys.argv[1]), Path(sys.argv[2])).change([7], who='Ada', state=TriageState.ACCEPTED)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(run), str(tmp_path / "home")], check=False, timeout=60)
    assert ended.returncode == -9
    assert Journal(run, tmp_path / "home").states()[7].state is TriageState.ACCEPTED


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_run_on_read_only_media_keeps_its_decisions_in_the_home(run, journal, tmp_path):
    journal.change([1], who="Ada", state=TriageState.ACCEPTED)
    (run / FILE).chmod(0o444)
    run.chmod(0o555)
    try:
        journal.change([2], who="Ada", state=TriageState.DUPLICATE)
    finally:
        run.chmod(0o755)
    assert (tmp_path / "home" / "triage" / "run-1.jsonl").is_file()
    assert set(journal.states()) == {1, 2}


def test_a_refused_append_goes_to_the_home(run, tmp_path):
    (run / FILE).mkdir()  # nothing can be appended there, whoever asks
    journal = Journal(run, tmp_path / "home")
    with pytest.raises(StoreBroken):
        journal.states()
    (run / FILE).rmdir()
    (tmp_path / "home").write_text("in the way")
    (run / FILE).mkdir()
    with pytest.raises(StoreBroken, match="neither to"):
        journal.change([1], who="Ada", state=TriageState.ACCEPTED)


def test_lines_of_strangers_are_left_out(run, journal):
    strange = '{"id":"y","when":"t","findings":[1],"state":"odd"}'
    lines = ["[1,2]", "null", '{"id": 1}', '{"id":"x","when":"t","findings":["a"]}', strange]
    (run / FILE).write_text("\n".join(lines) + "\n")
    assert journal.history() == []
    journal.change([1], who="Ada", note="still works")
    assert json.loads((run / FILE).read_text().splitlines()[-1])["note"] == "still works"


def test_words_that_are_no_state_and_no_tag_are_refused(journal):
    assert state_named("Label-Error") is TriageState.LABEL_ERROR
    with pytest.raises(CallWrong, match="there is no state 'odd'"):
        state_named("odd")
    with pytest.raises(CallWrong, match="no tag"):
        journal.change([1], who="Ada", tags=["a,b"])
    with pytest.raises(CallWrong, match="letters"):
        journal.change([1], who="Ada", note="x" * 20_000)
    assert fold([]) == {}
