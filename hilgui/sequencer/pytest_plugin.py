"""The plug-in of pytest: `*.case.yaml` files as tests, and a fixture that runs a case. Silent until it is asked for.

[tool.pytest.ini_options]
hilgui_cases = true        # or: pytest --hilgui-cases
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hilgui.sequencer.loading import LoadedCase
    from hilgui.sequencer.results import CaseResult

_SUFFIX = ".case.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch; nothing is collected without it."""
    group = parser.getgroup("hilgui")
    group.addoption("--hilgui-cases", action="store_true", help="collect hilgui's test cases (*.case.yaml)")
    group.addoption("--hilgui-tag", action="append", default=[], help="only cases with this tag")
    parser.addini("hilgui_cases", "collect hilgui's test cases (*.case.yaml)", type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect case files where that is switched on."""
    config = parent.config
    if not file_path.name.endswith(_SUFFIX) or not (config.getoption("hilgui_cases") or config.getini("hilgui_cases")):
        return None
    return CaseFile.from_parent(parent, path=file_path)


class CaseRed(Exception):
    """A case that did not pass; its text is the report."""


class CaseFile(pytest.File):
    """One file: a test for each combination of its parameters."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read the file; a mistake in it is an error of collection, with its line."""
        from hilgui.errors import CaseBroken
        from hilgui.sequencer.loading import read_case

        try:
            cases = read_case(self.path)
        except CaseBroken as failure:
            raise self.CollectError(str(failure)) from failure
        tags = set(self.config.getoption("hilgui_tag"))
        for loaded in cases:
            if tags & set(loaded.case.tags) or (not tags and "manual" not in loaded.case.tags):
                yield CaseItem.from_parent(self, name=loaded.id, loaded=loaded)


class CaseItem(pytest.Item):
    """One case as a test: PASS passes, a skipped one is skipped with its reason, everything else fails.

    It runs in the set-up, so that a broken bench is an error as pytest means it, and a red result a failure.
    """

    def __init__(self, *, loaded: LoadedCase, **how: Any) -> None:
        super().__init__(**how)
        self._loaded = loaded
        self._result: CaseResult | None = None

    def setup(self) -> None:
        """Run the case; ERROR and ABORTED end here."""
        from hilgui.records import Outcome

        self._result = result = run_loaded(self._loaded)
        if result.outcome is None:
            pytest.skip("; ".join(result.reasons))
        if result.outcome in (Outcome.ERROR, Outcome.ABORTED):
            raise CaseRed(report_of(result))

    def runtest(self) -> None:
        """Judge it."""
        result = self._result
        if result is None or result.outcome is None or result.outcome.exit_code:
            raise CaseRed("the case did not run" if result is None else report_of(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show criteria instead of a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, CaseRed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the case in reports."""
        return self.path, 0, f"case {self.name}"


@pytest.fixture
def hilgui_case() -> Callable[..., CaseResult]:
    """Give a function that runs the case of a file: `hilgui_case(path, level=10)`; its result is stored as well."""

    def run(path: str | Path, **parameters: Any) -> CaseResult:
        from hilgui.sequencer.loading import read_case

        cases = [each for each in read_case(Path(path)) if dict(each.parameters) == parameters]
        if len(cases) != 1:
            known = ", ".join(str(dict(each.parameters)) for each in read_case(Path(path)))
            raise ValueError(f"{path} has no case with {parameters}; it has {known}")
        return run_loaded(cases[0])

    return run


def run_loaded(loaded: LoadedCase) -> CaseResult:
    """Run a case with nobody at the bench: simulated rigs are armed, real ones are not; keep its result."""
    from hilgui.sequencer.operator import Unattended
    from hilgui.sequencer.suite import Suite
    from hilgui.settings import load_settings
    from hilgui.stream import StopToken

    settings = load_settings()
    return Suite(settings, Unattended(settings.operator), lambda event: None, StopToken()).run([loaded])[0]


def report_of(result: CaseResult) -> str:
    """Write a verdict with every criterion."""
    from hilgui.sequencer.junit import criterion_text

    lines = [f"{result.id}: {result.word}", *result.reasons, *map(criterion_text, result.criteria)]
    return "\n".join([*lines, *(f"teardown: {each}" for each in result.teardown)])
