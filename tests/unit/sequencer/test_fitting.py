"""A case against its rig profile: what the rig does not have, each with its line, and nothing is opened for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.documents import Flaw
from hilgui.records import Outcome
from hilgui.resources import shipped
from hilgui.sequencer.loading import LoadedCase, check_case, find_case_files
from hilgui.sequencer.operator import Unattended
from hilgui.sequencer.runner import CaseRunner
from hilgui.settings import load_settings
from hilgui.stream import StopToken

BENCH = shipped("testcases/rigs/simulated_bench.yaml")
CASE = """\
schema: hilgui/case.v1
name: bench
mode: stimulus
rig: {profile: rig.yaml}
parameters:
  level:
    - 10
    - 60
steps:
  - set: {channel: board.lamp, value: ${level}}
  - ramp: {channel: board.voltage, from: 0, to: 12, over_s: 1}
  - wait: {channel: board.lamp, is: ">= 9"}
  - perform: {device: board, action: home}
  - loop:
      times: 2
      steps:
        - capture: {channel: board.lamp, as: lamp}
  - fault: {device: board, kind: override, channel: temperature, value: "99"}
criteria:
  - {metric: captured.lamp, limit: ">= 0", unit: "%"}
teardown:
  - set: {channel: board.lamp, value: 0}
"""


def check(folder: Path, text: str, profile: str = BENCH.read_text("utf-8")) -> list[LoadedCase] | list[Flaw]:
    (folder / "rig.yaml").write_text(profile, encoding="utf-8")
    return check_case(text, folder / "x.case.yaml")


def test_a_case_that_fits_its_rig_has_no_mistakes(tmp_path: Path) -> None:
    assert [type(each) for each in check(tmp_path, CASE)] == [LoadedCase, LoadedCase]


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("set: {channel: board.lamp, value: $", "set: {channel: board.lump, value: $", 10, "did you mean lamp?"),
        ("set: {channel: board.lamp, value: $", "set: {channel: bord.lamp, value: $", 10, "did you mean board?"),
        ("board.lamp, value: 0", "board.temperature, value: 0", 22, "no channel temperature to set"),
        ("board.lamp, value: 0}", "board.lump, value: 0, refused: true}", 22, "did you mean lamp?"),
        ("    - 60", "    - 101", 8, "101 is no value for line 10, steps.0.set.value: board.lamp: 101 is outside"),
        ("    - 60", "    - 97", 8, "would violate lamp_max (<= 95 %)"),
        ("to: 12", "to: 25", 11, "board.voltage: 25 is outside 0 to 20 V"),
        ("to: 12", "to: 15", 11, "would violate supply_max (<= 14.4 V)"),
        ("from: 0, to", "from: -1, to", 11, "-1 is outside 0 to 20 V"),
        ("board.lamp, is", "board.lam, is", 12, "no channel lam to read, did you mean lamp?"),
        ("action: home", "action: hume", 13, "no action hume, did you mean home?"),
        ("action: home", "action: home, arguments: {x: 1}", 13, "home takes no x"),
        ("capture: {channel: board.lamp", "capture: {channel: board.lamb", 17, "did you mean lamp?"),
        ("device: board, kind", "device: boad, kind", 18, "did you mean board?"),
        ("channel: temperature", "channel: temprature", 18, "did you mean temperature?"),
        ('unit: "%"', "unit: V", 20, "board.lamp is in %, not in V"),
        ("rig.yaml", "rug.yaml", 4, "rig.yaml?"),
    ],
)
def test_what_the_rig_does_not_have_is_one_sentence_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    assert before in CASE
    (flaw,) = check(tmp_path, CASE.replace(before, after))
    assert isinstance(flaw, Flaw) and flaw.line == line and says in flaw.sentence, flaw


def test_a_refused_set_may_be_beyond_a_limit(tmp_path: Path) -> None:
    read = check(tmp_path, CASE.replace("value: 0}", "value: 99, refused: true}"))
    assert isinstance(read[0], LoadedCase)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("driver: rehearsal", "drivr: rehearsal", "line 5"),
        ("driver: rehearsal", "driver: rehearsel", "the driver rehearsel does not exist"),
        ("simulator: true}", "simulator: true}\n    options: {dead_man_ms: 0}", "cannot be armed"),
        ("port: {simulator: true}", "port: {path: /dev/board}", "faults are injected into simulators only"),
    ],
)
def test_a_profile_that_cannot_be_used_is_said_at_the_rig(tmp_path: Path, before: str, after: str, says: str) -> None:
    profile = BENCH.read_text("utf-8")
    assert before in profile
    (flaw,) = check(tmp_path, CASE, profile.replace(before, after))
    assert isinstance(flaw, Flaw) and says in flaw.sentence and flaw.line in (4, 18), flaw


def test_a_closed_loop_is_checked_against_its_rig() -> None:
    path = shipped("testcases/brake_light.case.yaml")
    text = path.read_text("utf-8")
    assert isinstance(check_case(text, path)[0], LoadedCase)
    (wrong,) = check_case(text.replace("on: 100", "on: 101"), path)
    assert isinstance(wrong, Flaw) and "101 is outside 0 to 100 %" in wrong.sentence
    assert text.splitlines()[wrong.line - 1].strip() == "on: 100"
    found = check_case(text.replace("simulated_brake_light", "simulated_bench"), path)
    assert [flaw.sentence for flaw in found if isinstance(flaw, Flaw) and "perception" in flaw.sentence], found


def test_a_case_that_does_not_fit_is_an_error_before_anything_is_opened(tmp_path: Path) -> None:
    text = CASE.replace("channel: board.lamp, as", "channel: board.lamb, as")
    (tmp_path / "rig.yaml").write_text(BENCH.read_text("utf-8"), encoding="utf-8")
    from hilgui.sequencer.loading import parse_case

    (loaded, _) = parse_case(text, tmp_path / "x.case.yaml")
    assert isinstance(loaded, LoadedCase)
    result = CaseRunner(load_settings(), Unattended("me"), lambda event: None, StopToken()).run(loaded)
    assert result.outcome is Outcome.ERROR and "line 17" in result.reasons[0] and not result.rig


def test_the_shipped_cases_fit_their_rigs() -> None:
    for path in find_case_files([shipped("testcases")]):
        read = check_case(path.read_text("utf-8"), path)
        assert all(isinstance(each, LoadedCase) for each in read), (path, read)
