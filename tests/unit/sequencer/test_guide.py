"""The examples of docs/test-cases.md are read and run; the plug-in of pytest collects only when it is asked to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilgui.records import Outcome
from hilgui.resources import shipped
from hilgui.sequencer.loading import LoadedCase, parse_case
from hilgui.sequencer.operator import Unattended
from hilgui.sequencer.runner import CaseRunner
from hilgui.settings import load_settings
from hilgui.stream import StopToken

pytest_plugins = ["pytester"]
GUIDE = Path(__file__).parents[3] / "docs" / "test-cases.md"
RIG = """\
schema: hilgui/case.v1
name: quick
mode: shadow
rig: {{profile: "{profile}"}}
parameters:
  limit: [{limits}]
steps:
  - capture: {{channel: board.temperature, as: degrees}}
criteria:
  - {{metric: captured.degrees, limit: "< ${{limit}}"}}
"""


def examples() -> list[list[LoadedCase]]:
    texts = [text for text in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.S) if "schema:" in text]
    found = [parse_case(text, shipped("testcases") / "example.case.yaml") for text in texts]
    assert all(isinstance(each, LoadedCase) for read in found for each in read), found
    return [[each for each in read if isinstance(each, LoadedCase)] for read in found]


def test_the_examples_of_the_guide_pass() -> None:
    first, sweep = examples()
    assert [case.id for case in sweep] == ["example[level=30]", "example[level=60]"]
    for case in (*first, sweep[1]):
        result = CaseRunner(load_settings(), Unattended("me"), lambda event: None, StopToken()).run(case)
        assert result.outcome is Outcome.PASS, result


def quick_case(folder: Path, limits: str) -> None:
    text = RIG.format(profile=shipped("testcases/rigs/simulated_bench.yaml"), limits=limits)
    (folder / "quick.case.yaml").write_text(text, encoding="utf-8")


def test_pytest_collects_cases_only_when_it_is_asked_to(pytester: pytest.Pytester) -> None:
    quick_case(pytester.path, "60")
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes()


def test_a_broken_bench_is_an_error_of_pytest_beside_its_own_tests(pytester: pytest.Pytester) -> None:
    quick_case(pytester.path, "60")
    path = pytester.path / "quick.case.yaml"
    text = path.read_text("utf-8")
    path.with_name("lost.case.yaml").write_text(text.replace("simulated_bench", "gone_bench"), encoding="utf-8")
    pytester.makeconftest("import pytest\n\n\n@pytest.fixture(autouse=True)\ndef own():\n    yield")
    pytester.makepyfile("def test_own():\n    pass")
    told = pytester.runpytest_subprocess("--hilgui-cases", "-p", "no:cacheprovider")
    told.assert_outcomes(passed=2, errors=1)
    told.stdout.fnmatch_lines(["*lost.case.yaml, line 4: rig.profile: there is no file*"])


def test_a_case_is_a_test_and_shows_its_criteria(pytester: pytest.Pytester) -> None:
    quick_case(pytester.path, "60, 1")
    pytester.makepyfile(
        "def test_it(hilgui_case):\n    assert hilgui_case('quick.case.yaml', limit=60).outcome == 'PASS'"
    )
    told = pytester.runpytest_subprocess("--hilgui-cases", "-p", "no:cacheprovider")
    told.assert_outcomes(passed=2, failed=1)
    told.stdout.fnmatch_lines(["*FAIL captured.degrees: 23.5*limit < 1*"])
