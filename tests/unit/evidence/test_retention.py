"""Retention: a policy lets runs go, and nothing goes that somebody needs."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence import EventKind, Incidents, IncidentState, Journal
from hilgui.evidence.retention import Policy, Retention, read_policy
from hilgui.store import RunWriter
from tests.unit.evidence.bench import WORSE, record, write_run
from tests.unit.store.rows import header

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def policy(**rules: object) -> Policy:
    return Policy.model_validate({"schema": "hilgui/retention.v1", **rules})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give four runs; a decision rests on the first, an open incident is about the second, the third is pinned."""
    record(tmp_path, runs=1, **WORSE)
    second, third, _ = (write_run(tmp_path, number).name for number in (2, 3, 4))
    Incidents(tmp_path).open("x", by="eve", runs=[second])
    Retention(tmp_path).pin(third, by="ada", reason="for the course")
    return tmp_path


def names(home: Path) -> list[str]:
    return sorted(folder.name[-4:] for folder in (home / "runs").iterdir())


def test_a_plan_changes_nothing_and_names_what_keeps_a_run(home: Path) -> None:
    doomed = Retention(home).plan(home / "runs", policy(max_age_days=30), LATER)

    assert [one.kept_by.split(" ")[0] for one in doomed] == ["decision", "open", "pinned", ""]
    assert all("days old" in one.why for one in doomed)
    assert names(home) == ["0001", "0002", "0003", "0004"]


def test_only_what_nobody_needs_goes(home: Path) -> None:
    retention = Retention(home)

    gone = retention.remove(retention.plan(home / "runs", policy(max_age_days=30), LATER), by="ada")

    assert [one.run_id[-4:] for one in gone] == ["0004"]
    assert names(home) == ["0001", "0002", "0003"]
    told = list(Journal(home).events(EventKind.RETENTION))[-1]
    assert (told.facts["action"], told.facts["run"]) == ("pruned", gone[0].run_id)


def test_runs_of_a_campaign_are_pruned_and_kept_like_any_other(home: Path) -> None:
    campaign = home / "runs" / "demo-gate"
    campaign.mkdir()
    for folder in sorted((home / "runs").glob("*000[14]")):
        folder.rename(campaign / folder.name)
    retention = Retention(home)

    doomed = retention.plan(home / "runs", policy(max_age_days=30), LATER)
    gone = retention.remove(doomed, by="ada")

    assert [one.kept_by.split(" ")[0] for one in doomed] == ["decision", "open", "pinned", ""]
    assert [one.folder for one in gone] == [campaign / gone[0].run_id]
    assert [folder.name[-4:] for folder in campaign.iterdir()] == ["0001"]


def test_a_run_that_is_still_being_written_is_not_archived(home: Path, tmp_path: Path) -> None:
    writer = RunWriter(home / "runs", header("20260131-120000-dusk-cccc"))

    with pytest.raises(CallWrong, match="still being written"):
        Retention(home).archive(writer.folder, writer.folder.name, tmp_path / "out", by="ada", remove=True)

    writer.close()
    assert writer.folder.is_dir()


def test_what_is_pinned_between_plan_and_removal_stays(home: Path) -> None:
    retention = Retention(home)
    doomed = retention.plan(home / "runs", policy(max_age_days=30), LATER)
    retention.pin(doomed[-1].run_id, by="bob", reason="just looked at it")

    assert retention.remove(doomed, by="ada") == []


def test_a_closed_incident_and_a_loosed_pin_let_go(home: Path) -> None:
    retention, incidents = Retention(home), Incidents(home)
    incidents.move("last", IncidentState.CLOSED, by="eve", note="no incident at all")
    third = next(iter(retention.pins()))
    retention.unpin(third, by="ada")
    with pytest.raises(CallWrong, match="is not pinned"):
        retention.unpin(third, by="ada")

    gone = retention.remove(retention.plan(home / "runs", policy(max_age_days=30), LATER), by="ada")

    assert [one.run_id[-4:] for one in gone] == ["0002", "0003", "0004"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"max_age_days": 100_000}, 0),
        ({"max_total_gb": 1000}, 0),
        ({"max_total_gb": 0}, 4),
        ({"max_age_days": 1, "verdicts": ["FAIL"]}, 0),
        ({"max_age_days": 1, "verdicts": ["PASS"]}, 4),
        ({}, 0),
    ],
)
def test_limits_are_age_size_and_verdict(home: Path, rules: dict[str, object], expected: int) -> None:
    assert len(Retention(home).plan(home / "runs", policy(**rules), LATER)) == expected


def test_an_archive_is_read_back_and_its_hash_noted(home: Path, tmp_path: Path) -> None:
    retention = Retention(home)
    folder = next(one for one in (home / "runs").iterdir() if one.name.endswith("0004"))

    place = retention.archive(folder, folder.name, tmp_path / "cold", by="ada", remove=True)

    assert not folder.exists()
    with zipfile.ZipFile(place) as archive:
        assert f"{folder.name}/run.sqlite" in archive.namelist()
    told = list(Journal(home).events(EventKind.RETENTION))[-1]
    assert (told.facts["action"], len(told.facts["sha256"])) == ("archived", 64)


def test_an_archive_does_not_take_away_what_a_decision_needs(home: Path, tmp_path: Path) -> None:
    retention = Retention(home)
    folder = next(one for one in (home / "runs").iterdir() if one.name.endswith("0001"))

    with pytest.raises(CallWrong, match="stays where it is: decision"):
        retention.archive(folder, folder.name, tmp_path / "cold", by="ada", remove=True)
    assert retention.archive(folder, folder.name, tmp_path / "cold", by="ada", remove=False).exists()
    assert folder.exists()


def test_with_unreadable_pins_nothing_is_pruned(home: Path) -> None:
    (home / "pins.json").write_text("{")

    with pytest.raises(EvidenceBroken, match="nothing is pruned"):
        Retention(home).plan(home / "runs", policy(max_age_days=1), LATER)


def test_a_policy_with_a_mistake_names_its_line(tmp_path: Path) -> None:
    place = tmp_path / "policy.yaml"
    place.write_text("schema: hilgui/retention.v1\nmax_age_day: 3\n")

    with pytest.raises(EvidenceBroken, match=r"line 2.*did you mean max_age_days"):
        read_policy(place)
