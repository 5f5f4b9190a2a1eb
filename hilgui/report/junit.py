"""JUnit XML: a run as a test suite, for the CI server that started it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from hilgui.records import Finding, Outcome
from hilgui.report.protocol import Progress, place_for, replacing
from hilgui.report.summary import summary
from hilgui.store import RunReader

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LISTED = 200  # findings of one kind that are written out


class Junit:
    """Writes one suite: the verdict, the ledger, and one case for each kind of corner case that was found.

    A CI server shall be red exactly when the exit status of `replay` is not 0, so

    - PASS passes; FAIL and INCONCLUSIVE are a <failure> of the case "verdict" (missing evidence never passes);
    - ERROR and ABORTED are an <error>, the bench did not do its work; a run that is still written is an <error> too;
    - a ledger that does not close is an <error>;
    - findings never turn a case red, as they never change a verdict: they stand in <system-out>, one a line.
    """

    name: ClassVar[str] = "junit"
    suffix: ClassVar[str] = ".xml"
    file_name: ClassVar[str] = "junit.xml"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`."""
        suites = suites_of(summary(reader), reader.findings())
        ElementTree.indent(suites)
        place = place_for(reader, out, self.file_name)
        with replacing(place) as file:
            file.write("<?xml version='1.0' encoding='utf-8'?>\n")
            file.write(ElementTree.tostring(suites, encoding="unicode"))
            file.write("\n")
        progress(1, 1)
        return place


def suites_of(facts: dict[str, Any], findings: list[Finding]) -> Element:
    """Build the document from a summary and its findings."""
    suite = Element("testsuite", name=_text(facts["run_id"]), timestamp=_text(facts["created"].split("+")[0]))
    _properties(suite, facts)
    drive = f"hilgui.{Path(facts['source']['name']).stem}"
    _verdict(suite, drive, facts)
    _ledger(suite, drive, facts)
    for kind in facts["findings"]:
        _kind(suite, drive, kind, [finding for finding in findings if finding.kind.value == kind])
    counts = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": "0",
        "time": f"{facts['wall_s'] or 0:.3f}",
    }
    suite.attrib.update(counts)
    suites = Element("testsuites", {"name": "hilgui", **counts})
    suites.append(suite)
    return suites


def _properties(suite: Element, facts: dict[str, Any]) -> None:
    values = {
        "version": facts["version"],
        "commit": facts["commit"],
        "command": " ".join(facts["command"]),
        "source": facts["source"]["path"],
        "source.sha256": facts["source"]["sha256"],
        "truth": (facts["truth"] or {}).get("path", ""),
        "cameras": ", ".join(str(camera["channel"]) for camera in facts["source"]["cameras"]),
        "fps": "" if facts["fps"] is None else f"{facts['fps']:.2f}",
        **{
            f"people.{name}": value if isinstance(value, str) else ", ".join(value)
            for name, value in facts["people"].items()
        },
        **{f"frames.{name}": str(value) for name, value in facts["frames"].items() if name != "reasons"},
    }
    for role, model in facts["models"].items():
        for name in ("name", "sha256", "provider", "device", "threshold") if model else ():
            values[f"{role}.{name}"] = str(model[name])
        for name, value in _attested((model or {}).get("attestation") or {}).items():
            values[f"{role}.attestation.{name}"] = value
        for name, value in ((model or {}).get("detection") or {}).items():
            if name.startswith("map_"):
                values[f"{role}.{name}"] = str(value)
    properties = SubElement(suite, "properties")
    for name, value in values.items():
        if value:
            SubElement(properties, "property", name=name, value=_text(value))


def _attested(made_of: dict[str, Any]) -> dict[str, str]:
    """Write what really ran a model, one text a fact: nodes and share of time by provider, libraries, options."""
    return {
        name: value if isinstance(value, str) else ", ".join(f"{key}={value[key]}" for key in sorted(value))
        for name, value in made_of.items()
    }


def _verdict(suite: Element, drive: str, facts: dict[str, Any]) -> None:
    case = _case(suite, drive, "verdict", facts["wall_s"] or 0.0)
    outcome = facts["verdict"] or "RUNNING"
    if outcome == Outcome.PASS:
        return
    reasons = facts["reasons"] or ["the run is not finished"]
    tag = "failure" if outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE) else "error"
    problem = SubElement(case, tag, type=outcome, message=_text(f"{outcome}: {reasons[0]}"))
    problem.text = _text("\n".join(reasons))


def _ledger(suite: Element, drive: str, facts: dict[str, Any]) -> None:
    case = _case(suite, drive, "every frame is accounted for")
    frames = facts["frames"]
    words = ", ".join(f"{frames[name]} {name}" for name in ("captured", "evaluated", "dropped", "skipped"))
    if not frames["closes"]:
        SubElement(case, "error", type="LedgerOpen", message=f"the ledger does not close: {words}")
    reasons = [f"{reason}: {count}" for reason, count in frames["reasons"].items()]
    SubElement(case, "system-out").text = _text("\n".join([words, *reasons]))


def _kind(suite: Element, drive: str, kind: str, findings: list[Finding]) -> None:
    case = _case(suite, f"{drive}.findings", kind)
    lines = [
        f"{finding.number}  {finding.severity.label:6}  {finding.role or '-':9}  "
        f"{f'camera {finding.channel}, ' if finding.channel else ''}"
        f"frames {finding.first_seq}-{finding.last_seq}, worst {finding.worst_seq}: {finding.why}"
        for finding in findings[:_LISTED]
    ]
    if len(findings) > _LISTED:
        lines.append(f"and {len(findings) - _LISTED} more")
    SubElement(case, "system-out").text = _text("\n".join([f"findings: {len(findings)}", *lines]))


def _case(suite: Element, drive: str, name: str, time_s: float = 0.0) -> Element:
    return SubElement(suite, "testcase", classname=_text(drive), name=name, time=f"{time_s:.3f}")


def _text(value: str) -> str:
    """Remove what XML cannot hold; the rest is escaped on writing."""
    return _NOT_XML.sub("", value)
