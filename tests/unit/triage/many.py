"""Runs with as many findings as a test asks for."""

from dataclasses import replace
from pathlib import Path

from hilgui.records import Finding, FoundObject, Kind, Ledger, Outcome, Role, Severity, Suspect, TruthFacts, Verdict
from hilgui.store import RunWriter
from tests.unit.store.rows import finding, header

_KINDS = (Kind.MISSED_OBJECT, Kind.PHANTOM, Kind.FLICKER, Kind.DISAGREEMENT)
_LABELS = ("person", "car", "truck")


def varied(number: int) -> Finding:
    """Give a finding whose fields differ from its neighbours'."""
    label = _LABELS[number % 3]
    return replace(
        finding(number, number, number + number % 7),
        kind=_KINDS[number % 4],
        severity=Severity(1 + number % 3),
        role=(Role.CANDIDATE, Role.BASELINE, None)[number % 3],
        why=f"{label} {number} was lost at {number / 10:.1f} m",
        objects=(FoundObject(label, (10.0, 10.0, 30.0, 60.0), number, None, number / 10),),
        suspect_role=Role.CANDIDATE if number % 12 == 11 else None,  # a disagreement, role None
        suspect=Suspect.MODEL if number % 2 else Suspect.LABEL,
        frame_hash=f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}",
    )


def make_run(
    root: Path, count: int, run_id: str = "20260131-142233-drive-0001", *, weather: str = "", drive: str = "drive.mp4"
) -> Path:
    """Store a finished run with findings 1 to `count`."""
    plain = header(run_id)
    truth = TruthFacts("t.json", "0" * 64, "coco", "frame", 1, conditions={"weather": weather} if weather else {})
    writer = RunWriter(root, replace(plain, truth=truth, source=replace(plain.source, name=drive)))
    writer.write([], [varied(number) for number in range(1, count + 1)])
    writer.finish(Verdict(Outcome.PASS), Ledger(0, 0, 0, 0, 0))
    return writer.folder
