"""Mistakes in rig profiles that only the drivers' facts show: each one sentence with file, line and what to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import ProfileBroken
from hilgui.gui.rig.chooser import shipped_profiles
from hilgui.resources import shipped
from hilgui.rigs.bench import facts_of, unarmable
from hilgui.rigs.profile import read_profile

SUPPLY = shipped("assets/rigs/supply_bench.yaml").read_text(encoding="utf-8")
LIGHT = shipped("assets/rigs/light_bench.yaml").read_text(encoding="utf-8")
_AMPERES = 'unit: A, operator: "<=",\n     limit: 2.2 A'


def refused(folder: Path, text: str) -> ProfileBroken:
    path = folder / "rig.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileBroken) as caught:
        facts_of(read_profile(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (SUPPLY, "channel: relay", "channel: relais", "board has no channel relais, did you mean relay"),
        (SUPPLY, "off: 0", "off: 1", "board.relay is 0 in the safe state, not 1"),
        (SUPPLY, "channel: relay", "channel: photodiode", "board.photodiode is read only"),
        (SUPPLY, "signal: supply.voltage", "signal: supply.volt", "no channel volt, did you mean voltage"),
        (SUPPLY, 'signal: board.photodiode, unit: "%"', 'signal: board, unit: "%"', "board has no channel"),
        (SUPPLY, "unit: A", "unit: mA", "limit: '2.2 A' is not in mA"),
        (SUPPLY, _AMPERES, _AMPERES.replace("A", "mA"), "in A"),
        (LIGHT, "limit: 10 s", "limit: 10 ms", "not in s"),
        (LIGHT, 'unit: s, operator: "<=", limit: 10 s', 'unit: min, operator: "<=", limit: 10 min', "on_time of board"),
        (SUPPLY, "driver: scpi", "driver: scpy", "the driver scpy does not exist"),
        (SUPPLY, "max_voltage: 30", "max_voltage: thirty", "max_voltage is the rating"),
        (SUPPLY, "cut_by:", "cutby:", "unknown key, did you mean cut_by"),
        (SUPPLY, "name: supply bench", f"name: {'[' * 5000}", "nested more than"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line_and_what_to_try(tmp_path: Path, text: str, old: str, new: str, said: str) -> None:
    assert old in text
    failure = refused(tmp_path, text.replace(old, new))
    lines = text.splitlines()
    around = [number for number, line in enumerate(lines, 1) if old.splitlines()[-1].strip() in line]
    assert said in str(failure)
    assert failure.line is not None and 1 <= failure.line <= len(lines)
    assert any(number - 6 <= failure.line <= number + 1 for number in around), (failure.line, around)


def test_every_shipped_profile_agrees_with_its_drivers_and_may_be_armed() -> None:
    for path in shipped_profiles():
        profile = read_profile(path)
        assert unarmable(profile, facts_of(profile)) == (), path
