"""The watch: which detectors run, what they find over a drive, and what happens when one breaks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import pytest

from hilgui import plugins
from hilgui.cornercases import RunContext, Watch
from hilgui.cornercases.black_frame import BlackFrame
from hilgui.plugins import Plugin
from hilgui.records import Finding, Hit, Kind, Moment, Severity, Telling
from tests.unit.cornercases.drive import CAR, PERSON, B, C, Known, context, moment

BOX = (100.0, 200.0, 140.0, 300.0)
WALKER = Known(PERSON, BOX, track=23, distance_m=12.4)
FOUND = [(PERSON, BOX, 0.71)]


def watched(watch: Watch, moments: Iterable[Moment]) -> list[Finding]:
    return [finding for each in moments for finding in watch.look(each).closed] + watch.finish()


def announce(monkeypatch: pytest.MonkeyPatch, **targets: object) -> None:
    """Let the catalogue hold these corner cases only; a text is the reason why one did not load."""
    table = {
        name: Plugin("hilgui.corner_cases", name, None, "stranger", target)
        if isinstance(target, str)
        else Plugin("hilgui.corner_cases", name, target, "stranger")
        for name, target in targets.items()
    }
    monkeypatch.setattr(plugins, "load", lambda group: table)


def test_every_built_in_detector_is_announced_and_runs_in_real_time() -> None:
    watch = Watch(context(real_time=True))
    assert set(watch.watching) >= {kind.value for kind in Kind}
    assert watch.left_out == watch.broken == ()


def test_detectors_that_cannot_work_are_left_out_with_the_reason() -> None:
    left_out = dict(Watch(context(ordered=False, candidate=False)).left_out)
    assert left_out.pop("disagreement") == "needs a candidate"
    assert set(left_out) == {
        *("blur", "borderline", "class_flip", "deadline_miss", "drift", "flicker", "frozen_frame", "gap"),
        *("identity_switch", "jitter", "late_detection", "noise_burst", "short_lived", "time_fault"),
    }
    assert set(left_out.values()) == {"needs time; the source is an unordered set"}
    assert dict(Watch(context()).left_out) == {"deadline_miss": "needs a live source or a replay in real time"}


def test_a_missed_person_becomes_one_finding_with_a_sentence_that_says_how_long() -> None:
    moments = [moment(seq, truth=[WALKER], seen={B: FOUND, C: FOUND if seq < 10 else []}) for seq in range(41)]
    findings = watched(Watch(context()), moments)
    missed = next(finding for finding in findings if finding.kind is Kind.MISSED_CRITICAL)
    assert (missed.first_seq, missed.last_seq, missed.frames, missed.severity) == (10, 40, 31, Severity.HIGH)
    assert missed.why == (
        "person 23 at 12.4 m missed by the candidate for 31 frames (1.0 s): "
        "it reports nothing there above a score of 0.01; the baseline found it with score 0.71; "
        "critical: 12.4 m ahead (distance of the label)"
    )
    assert {finding.kind for finding in findings} == {Kind.MISSED_CRITICAL, Kind.DISAGREEMENT}
    assert sorted(finding.number for finding in findings) == [1, 2]


def test_a_clean_drive_has_no_findings() -> None:
    moments = [moment(seq, truth=[WALKER], seen={B: FOUND, C: FOUND}) for seq in range(60)]
    assert watched(Watch(context()), moments) == []


def test_an_unordered_set_gives_one_finding_for_each_frame_kind_and_role() -> None:
    crowd = [WALKER, Known(CAR, (300, 200, 400, 300)), Known(CAR, (500, 200, 600, 300))]
    watch = Watch(context(ordered=False, candidate=False))
    looked = [watch.look(moment(seq, truth=crowd, seen={B: FOUND}, ordered=False)) for seq in range(3)]
    for seq, each in enumerate(looked):
        (finding,) = each.closed
        assert (finding.number, finding.first_seq, finding.last_seq) == (seq + 1, seq, seq)
        assert [found.label for found in finding.objects] == ["car", "car"]
    assert watch.finish() == []


def test_an_unlabelled_drive_has_no_misses_and_no_phantoms() -> None:
    findings = watched(Watch(context(candidate=False)), [moment(seq, seen={B: FOUND}) for seq in range(30)])
    assert findings == []


class Fragile(BlackFrame):
    """Breaks on frame 2."""

    def look(self, moment: Moment) -> Iterable[Hit]:
        if moment.ref.seq == 2:
            raise RuntimeError("fell over")
        return super().look(moment)


class Foreign(BlackFrame):
    """Names a frame that was never evaluated."""

    def look(self, moment: Moment) -> Iterable[Hit]:
        return [Hit(self.kind, 99, "", Severity.LOW, 1.0, "nonsense")]


def _speechless() -> Telling:
    raise KeyError("words")


class Speechless(BlackFrame):
    """Cannot say what it saw."""

    def look(self, moment: Moment) -> Iterable[Hit]:
        return [replace(hit, telling=_speechless) for hit in super().look(moment)]


class Unbuildable(BlackFrame):
    """Does not accept the context."""

    def __init__(self, context: RunContext) -> None:
        raise ValueError("no such limit")


def test_a_detector_that_raises_is_switched_off_and_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    announce(monkeypatch, fragile=Fragile, black_frame=BlackFrame)
    watch = Watch(context())
    with caplog.at_level(logging.ERROR):
        findings = watched(watch, [moment(seq, mean=0.0) for seq in range(5)])
    assert watch.broken == (("fragile", "RuntimeError: fell over"),)
    assert watch.watching == ("black_frame",)
    assert [finding.last_seq for finding in findings] == [4]
    assert "fragile is switched off" in caplog.text


def test_a_detector_that_cannot_describe_its_hits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, speechless=Speechless)
    watch = Watch(context())
    findings = watched(watch, [moment(seq, mean=0.0) for seq in range(5)])
    assert watch.broken == (("speechless", "KeyError: 'words'"),)
    assert [(finding.kind, finding.last_seq) for finding in findings] == [(Kind.BLACK_FRAME, 4)]


@pytest.mark.parametrize(("detector", "reason"), [(Foreign, "no hit on an evaluated frame"), (Unbuildable, "no such")])
def test_a_detector_that_breaks_its_contract_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, detector: type[BlackFrame], reason: str
) -> None:
    announce(monkeypatch, stranger=detector)
    watch = Watch(context())
    watch.look(moment(0))
    ((name, why),) = watch.broken
    assert name == "stranger"
    assert reason in why


def test_a_plug_in_that_does_not_load_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, black_frame=BlackFrame, stranger="ImportError: no module named lidar")
    assert Watch(context()).left_out == (("stranger", "ImportError: no module named lidar"),)
