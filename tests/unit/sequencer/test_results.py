"""Results and queues on disk, and suites run by a runner that only pretends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hilgui.errors import CallWrong
from hilgui.records import Outcome
from hilgui.sequencer.junit import junit_of
from hilgui.sequencer.loading import LoadedCase, read_case
from hilgui.sequencer.operator import Unattended
from hilgui.sequencer.results import (
    CaseResult,
    CriterionResult,
    Frames,
    QueueJournal,
    ResultShelf,
    result_from_json,
)
from hilgui.sequencer.suite import Suite, exit_code_of, failed_cases, listing
from hilgui.settings import Settings
from hilgui.stream import StopToken

CASE = """\
schema: hilgui/case.v1
name: nothing
priority: {priority}
steps:
  - wait: {{seconds: 0.001}}
criteria:
  - {{metric: rig.stops, limit: "== 0"}}
"""


def result(
    case: str, outcome: Outcome | None, started: str = "2026-01-01T00:00:00.000+00:00", **more: Any
) -> CaseResult:
    return CaseResult(case, case, f"{case}.case.yaml", "suite", "replay", outcome, started, 1.0, "me", **more)


def criterion(value: float | None, outcome: Outcome) -> CriterionResult:
    return CriterionResult("baseline recall", value, ">= 0.5", "", outcome)


class Pretender:
    """A runner whose verdicts are known beforehand; a case without one dies like a killed process."""

    def __init__(self, verdicts: Mapping[str, list[Outcome]]) -> None:
        self.verdicts = verdicts
        self.ran: list[str] = []

    def run(self, loaded: LoadedCase) -> CaseResult:
        self.ran.append(loaded.id)
        if not self.verdicts[loaded.id]:
            raise KeyboardInterrupt
        outcome = self.verdicts[loaded.id].pop(0)
        return CaseResult(**{**_fields(result(loaded.id, outcome)), "path": str(loaded.path)})


def _fields(one: CaseResult) -> dict[str, Any]:
    return {name: getattr(one, name) for name in CaseResult.__dataclass_fields__}


def suite(home: Path, pretender: Pretender) -> Suite:
    make: Any = lambda *_: pretender  # noqa: E731
    return Suite(Settings(home=home), Unattended("me"), lambda event: None, StopToken(), make_runner=make)


def three(folder: Path) -> list[LoadedCase]:
    cases = []
    for priority, name in enumerate("abc"):
        path = folder / f"{name}.case.yaml"
        path.write_text(CASE.format(priority=priority), encoding="utf-8")
        cases += read_case(path)
    return cases


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    shelf = ResultShelf(tmp_path)
    kept = result("a", Outcome.FAIL, criteria=(criterion(0.25, Outcome.FAIL),), frames=Frames(10, 9, 1, 0, ("x",)))
    path = shelf.put(kept)
    (path.parent / "torn.json").write_text('{"id": "a"', encoding="utf-8")
    assert shelf.results() == [kept] and result_from_json(kept.as_json()) == kept


def test_the_trend_of_a_case_is_oldest_first(tmp_path: Path) -> None:
    shelf = ResultShelf(tmp_path)
    for day, (value, outcome) in enumerate([(0.6, Outcome.PASS), (None, Outcome.INCONCLUSIVE), (0.4, Outcome.FAIL)], 1):
        started = f"2026-01-0{day}T00:00:00.000+00:00"
        shelf.put(result("a", outcome, started, criteria=(criterion(value, outcome),)))
    assert [point[1] for point in shelf.trend("a")["baseline recall"]] == [0.6, None, 0.4]
    assert shelf.newest()["a"].outcome is Outcome.FAIL


def test_a_queue_runs_by_priority(tmp_path: Path) -> None:
    pretender = Pretender({name: [Outcome.PASS] for name in "abc"})
    found = suite(tmp_path, pretender).run(three(tmp_path))
    assert pretender.ran == ["c", "b", "a"] and exit_code_of(found) == 0


def test_a_killed_queue_goes_on_with_the_case_that_was_under_way(tmp_path: Path) -> None:
    verdicts = {"c": [Outcome.PASS], "b": [], "a": [Outcome.PASS]}
    with pytest.raises(KeyboardInterrupt):
        suite(tmp_path, Pretender(verdicts)).run(three(tmp_path))
    journal = QueueJournal.unfinished(ResultShelf(tmp_path))
    assert journal is not None and journal.interrupted() == "b"
    with pytest.raises(CallWrong, match="another hilgui still works on it"):
        suite(tmp_path, Pretender({})).resume()
    journal.release()
    with journal.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "ended", "ca')  # killed while writing
    pretender = Pretender(verdicts | {"b": [Outcome.FAIL]})
    suite(tmp_path, Pretender({"a": [Outcome.PASS]})).run(three(tmp_path)[:1])  # a queue in between hides it not
    found = suite(tmp_path, pretender).resume()
    assert [each.id for each in found] == ["c", "b", "a"] and pretender.ran == ["b", "a"]
    assert exit_code_of(found) == 1, "what failed before or after the kill counts"
    assert not list(tmp_path.rglob("*.lock"))


def test_a_case_whose_result_is_gone_is_run_again(tmp_path: Path) -> None:
    verdicts = {"c": [Outcome.PASS], "b": [], "a": []}
    with pytest.raises(KeyboardInterrupt):
        suite(tmp_path, Pretender(verdicts)).run(three(tmp_path))
    for path in (tmp_path / "cases" / "results").glob("*.json"):
        path.unlink()
    pretender = Pretender({name: [Outcome.PASS] for name in "abc"})
    assert exit_code_of(suite(tmp_path, pretender).resume()) == 0 and pretender.ran == ["c", "b", "a"]


def test_nothing_is_left_of_a_queue_that_ended(tmp_path: Path) -> None:
    suite(tmp_path, Pretender({name: [Outcome.PASS] for name in "abc"})).run(three(tmp_path))
    with pytest.raises(CallWrong, match="interrupted"):
        suite(tmp_path, Pretender({})).resume()


def test_run_until_fail_ends_with_the_first_that_is_no_pass(tmp_path: Path) -> None:
    pretender = Pretender({"a": [Outcome.PASS, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.PASS]})
    found = suite(tmp_path, pretender).run(three(tmp_path)[:1], until_fail=10)
    assert [each.outcome for each in found][-1] is Outcome.INCONCLUSIVE and len(found) == 3
    assert exit_code_of(found) == 3


def test_what_failed_last_is_chosen_again(tmp_path: Path) -> None:
    cases = three(tmp_path)
    suite(tmp_path, Pretender({"a": [Outcome.PASS], "b": [Outcome.FAIL], "c": [Outcome.ERROR]})).run(cases)
    assert [case.id for case in failed_cases(tmp_path)] == ["b", "c"]
    rows = {row["id"]: row for row in listing(cases, tmp_path)}
    assert (rows["a"]["last"], rows["b"]["last"]) == ("PASS", "FAIL")


def test_what_failed_and_is_gone_keeps_nobody_from_running_the_rest_again(tmp_path: Path) -> None:
    cases = three(tmp_path)
    failed = {name: [Outcome.FAIL] for name in "abc"}
    suite(tmp_path, Pretender(failed)).run(cases)
    (tmp_path / "a.case.yaml").unlink()
    swept = CASE.format(priority=1) + "parameters: {level: [1, 2]}\n"  # b is now b[level=1] and b[level=2]
    (tmp_path / "b.case.yaml").write_text(swept, encoding="utf-8")
    assert [case.id for case in failed_cases(tmp_path)] == ["c"]
    (tmp_path / "c.case.yaml").unlink()
    with pytest.raises(CallWrong, match=r"no longer there: a of .*a\.case\.yaml, b of"):
        failed_cases(tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twins = [*three(tmp_path), *three(tmp_path / "other")]
    with pytest.raises(CallWrong, match="both the case"):
        suite(tmp_path, Pretender({})).run(twins)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.PASS, None], 0),
        ([None], 3),
        ([], 3),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], 3),
        ([Outcome.FAIL, Outcome.INCONCLUSIVE], 1),
        ([Outcome.FAIL, Outcome.ERROR], 4),
        ([Outcome.ERROR, Outcome.ABORTED], 130),
    ],
)
def test_the_exit_code_is_that_of_the_gravest_verdict(outcomes: list[Outcome | None], code: int) -> None:
    assert exit_code_of([result("x", outcome) for outcome in outcomes]) == code


def test_junit_is_red_where_the_exit_code_is() -> None:
    red = criterion(None, Outcome.INCONCLUSIVE)
    suites = junit_of(
        [
            result("a", Outcome.PASS, requirements=("REQ-1",)),
            result("b", Outcome.INCONCLUSIVE, criteria=(red,)),
            result("c", Outcome.ABORTED, reasons=("STOP\x00",)),
            result("d", None, reasons=("needs a GPU",)),
        ]
    )
    found = suites.find("testsuite")
    assert found is not None
    assert [found.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    failure, error = found.find("testcase/failure"), found.find("testcase/error")
    assert failure is not None and "no value" in str(failure.get("message"))
    assert error is not None and "\x00" not in str(error.get("message"))
