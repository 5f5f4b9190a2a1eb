"""Stories: what belongs together, and what a title says."""

from __future__ import annotations

from dataclasses import replace

from hilgui.cornercases import Told, stories
from hilgui.cornercases.kinds import NATURES
from hilgui.records import Finding, FoundObject, Kind, Role, Severity, Suspect

B, C = Role.BASELINE, Role.CANDIDATE


def finding(kind: Kind, label: str = "person", *, role: Role | None = C, track: int = 1, first: int = 0) -> Finding:
    return Finding(
        number=first + 1,
        kind=kind,
        severity=Severity.HIGH if kind is Kind.MISSED_CRITICAL else Severity.LOW,
        role=role,
        first_seq=first,
        last_seq=first + 9,
        worst_seq=first,
        frames=10,
        first_s=first / 30,
        last_s=(first + 9) / 30,
        worst_s=first / 30,
        why="",
        objects=(FoundObject(label, (0.0, 0.0, 10.0, 20.0), track),) if label else (),
        evidence={},
        suspect=NATURES[kind].suspect,
    )


def told(each: Finding, drive: str = "night_1", conditions: str = " at night") -> Told:
    return Told(f"run of {drive}", drive, conditions, each)


def test_misses_of_one_class_by_one_model_are_one_story_over_drives() -> None:
    given = [
        *(told(finding(Kind.MISSED_CRITICAL, track=nth), f"night_{nth}") for nth in range(3)),
        *(told(finding(Kind.GAP, track=nth), "night_1") for nth in range(11)),
    ]
    (story,) = stories(given)
    assert story.title == "persons at night missed by the candidate, 14 findings, 3 drives"
    assert (story.severity, story.drives, story.told[0].finding.kind) == (Severity.HIGH, 3, Kind.MISSED_CRITICAL)


def test_another_class_model_condition_or_suspect_is_another_story() -> None:
    one = finding(Kind.MISSED_OBJECT)
    given = [
        told(one),
        told(finding(Kind.MISSED_OBJECT, "car")),
        told(finding(Kind.MISSED_OBJECT, role=B)),
        told(one, "day", ""),
        told(replace(one, suspect=Suspect.LABEL)),
    ]
    titles = [story.title for story in stories(given)]
    assert len(titles) == 5
    assert "persons at night missed by the candidate, label suspected, 1 finding, 1 drive" in titles


def test_what_flickers_and_trembles_is_one_story_of_the_model_that_names_the_classes() -> None:
    kinds = (Kind.FLICKER, Kind.JITTER, Kind.BORDERLINE, Kind.CLASS_FLIP)
    given = [told(finding(kind, label)) for kind in kinds for label in ("car", "person")]
    (story,) = stories(given)
    assert story.title == "unsteady output of the candidate at night: cars, persons, 8 findings, 1 drive"


def test_a_disagreement_names_the_odd_one_out_where_the_findings_agree_on_it() -> None:
    one = finding(Kind.DISAGREEMENT, "", role=None)
    odd = [told(replace(one, evidence={"candidate_is_odd": value})) for value in (1.0, 1.0, 0.0)]
    assert stories(odd)[0].title.startswith("the models disagree at night, the candidate is the odd one out, 3")
    assert stories([told(one)])[0].title == "the models disagree at night, 1 finding, 1 drive"


def test_findings_on_one_object_soon_after_or_that_look_alike_are_one_sight() -> None:
    first, again = finding(Kind.MISSED_OBJECT), finding(Kind.MISSED_OBJECT, first=30)
    later, other = finding(Kind.MISSED_OBJECT, first=300), finding(Kind.MISSED_OBJECT, track=2)
    assert stories([told(first), told(again)])[0].sights == 1
    assert stories([told(first), told(later)])[0].sights == 2
    assert stories([told(first), told(other)])[0].sights == 2
    alike = [replace(first, crop_hash="00000000000000ff"), replace(other, crop_hash="00000000000000f0")]
    assert stories([told(each) for each in alike])[0].sights == 1


def test_two_hundred_findings_read_as_a_few() -> None:
    kinds = list(Kind)
    given = [told(finding(kinds[nth % 6], ("person", "car")[nth % 2], track=nth, first=nth)) for nth in range(200)]
    assert len(stories(given)) <= 6


def test_no_findings_have_no_stories() -> None:
    assert stories([]) == []
