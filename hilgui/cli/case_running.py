"""Runs test cases at a terminal: progress, questions, a table of verdicts, JUnit."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.markup import escape
from rich.table import Table

from hilgui.cli.console import Ticker, notes, print_json, results
from hilgui.engine import RunFailed, RunFinished, RunStarted
from hilgui.engine.metrics import Metrics, serving
from hilgui.errors import CallWrong, CaseBroken
from hilgui.pipeline import Progress
from hilgui.resources import shipped
from hilgui.sequencer.junit import write_junit
from hilgui.sequencer.loading import LoadedCase, load_cases
from hilgui.sequencer.operator import NO, YES, Desk, Operator, Purpose, Question, Unattended
from hilgui.sequencer.player import Played
from hilgui.sequencer.results import CaseResult
from hilgui.sequencer.suite import CaseBegan, CaseEnded, Suite, exit_code_of, failed_cases
from hilgui.sequencer.tidings import Playing, RigStood, RunBegan, StepTaken, Told
from hilgui.settings import Settings
from hilgui.stream import StopToken


@dataclass(frozen=True, slots=True)
class RunCall:
    """What was typed."""

    places: tuple[Path, ...]
    tags: tuple[str, ...]
    junit: Path | None
    yes: bool
    failed: bool
    resume: bool
    until_fail: int
    as_json: bool


def run_cases(call: RunCall, settings: Settings) -> int:
    """Run them; print what came of it; return the gravest exit code."""
    if call.failed + call.resume + bool(call.places) > 1:
        raise CallWrong("choose one of CASES, --failed and --resume")
    stop = StopToken()
    operator = _operator(call, settings)
    with serving(settings) as metrics, Ticker("test cases") as ticker, _interrupts(stop):
        teller = _Teller(ticker)
        suite = Suite(settings, operator, teller if metrics is None else _Metered(teller, metrics), stop)
        if call.resume:
            found = suite.resume()
        else:
            found = suite.run(_cases(call, settings.home), until_fail=call.until_fail)
    if call.junit is not None:
        write_junit(found, call.junit)
    code = exit_code_of(found)
    if call.as_json:
        print_json({"cases": [result.as_json() for result in found], "exit_code": code})
    else:
        _print(found)
    return code


def _cases(call: RunCall, home: Path) -> list[LoadedCase]:
    """Read everything before anything runs: half a suite would look like all of it."""
    try:
        return failed_cases(home) if call.failed else load_cases(_places(call), call.tags)
    except CaseBroken as failure:
        sentence = f"{failure}. Nothing was run: mend this file; `hilgui cases validate` names every mistake"
        raise CaseBroken(sentence, path=failure.path, line=failure.line) from failure


def _places(call: RunCall) -> list[Path]:
    return list(call.places) or [shipped("testcases")]


def _operator(call: RunCall, settings: Settings) -> Operator:
    if call.yes or not sys.stdin.isatty():
        return Unattended(settings.operator, says_yes=call.yes)
    return TerminalOperator(settings.operator)


class TerminalOperator(Desk):
    """Asks at the terminal; what is typed is read on a thread, as a rig must not wait for it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._reader: threading.Thread | None = None

    def ask(self, question: Question) -> None:
        """Print the question."""
        super().ask(question)
        kind = {"confirm": "yes/no", "choice": "/".join(question.choices)}.get(question.input, question.input)
        if question.picture is not None:
            notes.print(f"picture: {question.picture}", markup=False)
        mark = "" if question.purpose is Purpose.PROMPT else f"[{question.purpose.value}] "
        notes.print(f"{mark}{question.text} ({kind})", markup=False)
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, name="operator", daemon=True)  # blocked in readline
            self._reader.start()

    def _read(self) -> None:
        for line in sys.stdin:
            said = line.strip()
            for question in self.open_questions()[:1]:
                flaw = self.reply(question, _SHORT.get(said.casefold(), said) if question.input == "confirm" else said)
                if flaw:
                    notes.print(flaw, markup=False)


_SHORT = {"y": YES, "yes": YES, "n": NO, "no": NO}


class _Teller:
    """Writes progress on standard error."""

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker

    def __call__(self, event: Any) -> None:
        match event:
            case CaseBegan():
                notes.print(f"[{event.number}/{event.count}] {event.case}", markup=False)
            case StepTaken(_, text, depth):
                notes.print(f"{'  ' * (depth + 1)}{text}", markup=False)
            case RunBegan():
                self._ticker.expect(None)
            case Playing():
                self._ticker.expect(event.frames)
                self._ticker.advance(event.evaluated, event.fps, "frames", event.seconds_left)
            case CaseEnded(result):
                why = f": {'; '.join(result.reasons)}" if result.reasons else ""
                notes.print(f"  {result.word} in {result.duration_s:.1f} s{why}", markup=False)


class _Metered:
    """Passes events on, and gives Prometheus the figures in them."""

    def __init__(self, told: Told, metrics: Metrics) -> None:
        self._told = told
        self._metrics = metrics
        self._is_playing = False

    def __call__(self, event: Any) -> None:
        match event:
            case RigStood(_, state, _, blocked):
                self._metrics.take_rig(state, blocked)
            case RunBegan(_, folder):
                self._is_playing = True
                self._metrics.take(RunStarted(folder, folder.name, None))
            case Progress():
                self._metrics.take(event)
            case Played(folder, outcome, reasons):
                self._is_playing = False
                self._metrics.take(RunFinished(folder, outcome, reasons))
            case CaseEnded(result):
                if self._is_playing:  # its process ended without a verdict
                    self._is_playing = False
                    self._metrics.take(RunFailed("", ""))
                self._metrics.take_rig(None)
                self._metrics.take_case(result.outcome)
        self._told(event)


def _print(found: list[CaseResult]) -> None:
    table = Table("case", "verdict", "criterion", "value", "limit", "unit", "", "frames", box=None)
    for result in found:
        frames = f"{result.frames.evaluated} of {result.frames.captured}" if result.frames.captured else "–"
        skipped = result.frames.lost + result.frames.candidate_skipped
        first = [result.id, result.word, f"{frames}{f', {skipped} lost or skipped' if skipped else ''}"]
        if not result.criteria:
            table.add_row(escape(first[0]), first[1], escape("; ".join(result.reasons)), "", "", "", "", first[2])
        for one in result.criteria:
            value = "–" if one.value is None else f"{one.value:.4g}"
            words = (first[0], first[1], one.title, value, one.limit, one.unit, one.outcome.value, first[2])
            table.add_row(*map(escape, words))
            first = ["", "", ""]
    results.print(table)
    for result in found:
        for sentence in (*result.reasons, *(f"teardown: {each}" for each in result.teardown)):
            results.print(f"{result.id}: {sentence}", markup=False)
    counts = ", ".join(
        f"{number} {word}" for word in _WORDS if (number := sum(result.word == word for result in found))
    )
    results.print(counts or "nothing ran", markup=False)


_WORDS = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR", "ABORTED", "SKIPPED")


@contextmanager
def _interrupts(stop: StopToken) -> Iterator[None]:
    """Let Ctrl-C, and the SIGTERM of a CI system, end the case under way as ABORTED, its teardown included."""

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        stop.stop("stopped by the operator" if number == signal.SIGINT else "stopped by SIGTERM")

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
