"""JUnit XML of a suite: red exactly when the exit code is not 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from hilgui.durable import write_whole
from hilgui.errors import CallWrong
from hilgui.records import Outcome
from hilgui.sequencer.results import CaseResult, CriterionResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(results: Sequence[CaseResult], path: Path) -> None:
    """Write the file; raises CallWrong where it cannot be written."""
    suites = junit_of(results)
    ElementTree.indent(suites)
    try:
        write_whole(path, ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True))
    except OSError as failure:
        raise CallWrong(f"the results cannot be written to {path}: {failure}") from failure


def junit_of(results: Sequence[CaseResult]) -> Element:
    """Build the document: FAIL and INCONCLUSIVE are failures, ERROR and ABORTED errors, a skipped case is skipped."""
    suites = Element("testsuites")
    for name in dict.fromkeys(result.suite for result in results):
        mine = [result for result in results if result.suite == name]
        suite = SubElement(suites, "testsuite", name=_text(name), tests=str(len(mine)))
        for result in mine:
            _case(suite, result)
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("time", f"{sum(result.duration_s for result in mine):.3f}")
    return suites


def criterion_text(one: CriterionResult) -> str:
    """Write one criterion in a line."""
    value = "no value" if one.value is None else f"{one.value:.6g}"
    note = f" ({one.note})" if one.note else ""
    return f"{one.outcome.value} {one.title}: {value} {one.unit}, limit {one.limit} {one.unit}{note}".replace("  ", " ")


def _case(suite: Element, result: CaseResult) -> None:
    case = SubElement(
        suite,
        "testcase",
        name=_text(result.id),
        classname=_text(f"hilgui.{result.suite}"),
        time=f"{result.duration_s:.3f}",
    )
    if result.requirements:
        properties = SubElement(case, "properties")
        for requirement in result.requirements:
            SubElement(properties, "property", name="requirement", value=_text(requirement))
    why = _text("; ".join(result.reasons)) or result.word
    if result.outcome is None:
        SubElement(case, "skipped", message=why)
    elif result.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        red = next((each for each in result.criteria if each.outcome is not Outcome.PASS), None)
        said = why if red is None or result.reasons else _text(criterion_text(red))
        SubElement(case, "failure", type=result.word, message=said)
    elif result.outcome is not Outcome.PASS:
        SubElement(case, "error", type=result.word, message=why)
    lines = [criterion_text(one) for one in result.criteria]
    frames = result.frames
    losses = f"{frames.lost} lost, {frames.candidate_skipped} skipped by the candidate"
    lines.append(f"frames: {frames.evaluated} of {frames.captured}, {losses}")
    lines += [f"run: {folder}" for folder in result.runs]
    SubElement(case, "system-out").text = _text("\n".join(lines))


def _text(said: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", said)
