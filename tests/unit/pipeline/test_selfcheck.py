"""The daily self-check: what it finds, what it stores, what a run's header tells of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hilgui.cli.app import main
from hilgui.errors import StoreBroken
from hilgui.models.golden import Golden
from hilgui.pipeline import selfcheck
from hilgui.pipeline.selfcheck import Measured, compare, read_reference, recent_check, remember, write_reference
from hilgui.rigs.readout import Readout, simulated_readouts
from tests.unit.rigs.bench_rig import PROFILE, write_profile

_NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
_GOLDEN = Golden("a" * 64, 40, 12, {"car": 12}, 0.8, (1.0, 2.0, 3.0, 4.0))
_BOARD = Readout("board", "rehearsal 1.0", {"voltage": 0.0, "temperature": 23.5}, {"voltage": 0.1, "temperature": 9.5})
_GOOD = Measured(_GOLDEN, (_BOARD,))


def test_the_same_answer_is_fit() -> None:
    assert compare(_GOOD, _GOOD, "", _NOW).verdict == "fit"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Measured(replace(_GOLDEN, by_class={"car": 11}, mean_score=0.1), (_BOARD,)), "11 detections of car"),
        (Measured(replace(_GOLDEN, mean_score=0.7), (_BOARD,)), "mean score"),
        (Measured(_GOLDEN, (replace(_BOARD, identity="rehearsal 2.0"),)), "rehearsal 2.0 instead of rehearsal 1.0"),
        (Measured(_GOLDEN, (replace(_BOARD, readings={"voltage": 0.0}),)), "1 channel instead of 2"),
        (Measured(_GOLDEN, (replace(_BOARD, readings={"voltage": 0.2, "temperature": 23.5}),)), "voltage reads 0.2"),
        (Measured(_GOLDEN, (replace(_BOARD, readings={"voltage": None, "temperature": 23.5}),)), "reads no number"),
        (Measured(_GOLDEN, (replace(_BOARD, trouble="ttyX does not answer"),)), "does not answer"),
        (Measured(_GOLDEN, ()), "not here"),
    ],
)  # fmt: skip
def test_a_difference_makes_the_bench_unfit_and_is_said(found: Measured, said: str) -> None:
    check = compare(_GOOD, found, "", _NOW)
    assert check.verdict == "unfit"
    assert any(said in look.sentence for look in check.looks), check


def test_what_was_never_measured_is_not_known_and_never_fit() -> None:
    assert compare(None, _GOOD, "", _NOW).verdict == "unknown"
    more = Measured(_GOLDEN, (_BOARD, replace(_BOARD, device="second")))
    assert compare(_GOOD, more, "", _NOW).verdict == "unknown"


def test_a_header_carries_the_check_of_the_last_24_hours_only(tmp_path: Path) -> None:
    assert recent_check(tmp_path, _NOW) == {}
    remember(tmp_path, compare(_GOOD, _GOOD, "", _NOW))
    told = recent_check(tmp_path, _NOW + timedelta(hours=23))
    assert told["verdict"] == "fit" and told["what"][0].startswith("golden clip: fit")
    assert recent_check(tmp_path, _NOW + timedelta(hours=25)) == {}
    assert recent_check(tmp_path, _NOW - timedelta(hours=1)) == {}  # a clock that was set back
    (tmp_path / "selfcheck" / "last.json").write_text("[", encoding="utf-8")
    assert recent_check(tmp_path, _NOW) == {}


def test_a_reference_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = write_reference(tmp_path, "", _GOOD)
    assert read_reference(tmp_path, "") == _GOOD
    path.write_text('{"golden": 1}', encoding="utf-8")
    with pytest.raises(StoreBroken, match="--renew"):
        read_reference(tmp_path, "")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"readings": {', '"readings": ["a"], "x": {'),
        ('"noise": {', '"noise": {"temperature": "much"}, "x": {'),
        ('"voltage": 0.0', '"voltage": NaN'),
        ('"temperature": 9.5', '"temperature": 1e999'),
        ('"mean_score": 0.8', '"mean_score": NaN'),
        ('"by_class": {', '"by_class": [], "x": {'),
        ('"trouble": ""', '"worry": ""'),
    ],
)
def test_a_damaged_reference_is_refused_and_nothing_is_fit_by_it(tmp_path: Path, was: str, becomes: str) -> None:
    path = write_reference(tmp_path, "", _GOOD)
    text = path.read_text("utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), "utf-8")
    with pytest.raises(StoreBroken, match="--renew"):
        read_reference(tmp_path, "")


def test_profiles_of_the_same_name_have_references_of_their_own(tmp_path: Path) -> None:
    first = write_reference(tmp_path, str(tmp_path / "left" / "rig.yaml"), _GOOD)
    assert read_reference(tmp_path, str(tmp_path / "right" / "rig.yaml")) is None
    assert read_reference(tmp_path, str(tmp_path / "right" / ".." / "left" / "rig.yaml")) == _GOOD
    assert first.name.startswith("reference-rig-")


def test_a_bench_that_cannot_be_asked_is_fit_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selfcheck, "FRAMES", 1)
    home = tmp_path / "hilgui-home"
    now = datetime.now(UTC)
    remember(home, compare(_GOOD, _GOOD, "", now))
    profile = tmp_path / "rig.yaml"
    assert main(["selfcheck", "--rig", str(profile)]) == 4  # mistyped
    assert recent_check(home, now)["verdict"] == "fit"
    profile.write_text("schema: nothing", "utf-8")
    assert main(["selfcheck", "--rig", str(profile)]) == 4
    told = recent_check(home, datetime.now(UTC) + timedelta(seconds=2))
    assert told["verdict"] == "unfit" and "it cannot be asked" in told["what"][0]
    assert "rig.yaml" in capsys.readouterr().err


def test_every_simulator_answers_with_its_identity_and_channels() -> None:
    for device in simulated_readouts():
        assert not device.trouble and device.identity and device.readings, device


def test_the_shipped_reference_is_what_this_machine_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selfcheck", "--json"]) in (0, 3), capsys.readouterr().out
    looks = {look["what"]: look["verdict"] for look in json.loads(capsys.readouterr().out)["looks"]}
    assert looks["golden clip"] == "fit" and looks["rehearsal:board"] == "fit"


def test_a_rig_is_asked_compared_and_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selfcheck, "FRAMES", 2)
    profile = str(write_profile(tmp_path, PROFILE))
    assert main(["selfcheck", "--rig", profile]) == 3
    assert "not in the reference" in " ".join(capsys.readouterr().out.split())
    assert main(["selfcheck", "--rig", profile, "--renew"]) == 0
    assert main(["selfcheck", "--rig", profile]) == 0
    Path(profile).write_text(PROFILE.replace("    channels:", "    options: {temperature: 80}\n    channels:"), "utf-8")
    capsys.readouterr()
    assert main(["selfcheck", "--rig", profile, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "unfit" and any(
        "temperature reads 80" in look["sentence"] for look in document["looks"]
    )
