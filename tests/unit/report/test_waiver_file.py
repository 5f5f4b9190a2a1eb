"""Waivers that are added from the page or the command line: comments stay, a broken file is left alone."""

from datetime import date
from pathlib import Path

import pytest

from hilgui.errors import WaiversBroken
from hilgui.records import Kind
from hilgui.report.waivers import Waiver, add_waiver, load_waivers


def waiver(owner: str, reason: str = 'known: "quoted" # not a comment') -> Waiver:
    plain = {"kind": "phantom", "where": {"drive": "night.mp4", "class": "car", "frames": [3, 9]}}
    return Waiver.model_validate({**plain, "owner": owner, "reason": reason, "expires": date(2026, 3, 1)})


def test_what_was_added_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "waivers.yaml"
    for owner in ("Ada", "Böb"):
        add_waiver(path, waiver(owner))
    assert load_waivers(path) == (waiver("Ada"), waiver("Böb"))


def test_comments_of_people_stay(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(
        "schema: hilgui/waivers.v1\n# ours\nwaivers:\n  - kind: flicker  # since spring\n    owner: Eve\n"
        "    reason: rain\n    expires: 2026-05-01"
    )
    add_waiver(path, waiver("Ada"))
    assert "# since spring" in path.read_text() and "# ours" in path.read_text()
    assert [each.kind for each in load_waivers(path)] == [Kind.FLICKER, Kind.PHANTOM]


@pytest.mark.parametrize(
    "text", ["waivers: []\nschema: hilgui/waivers.v1\n", "{schema: hilgui/waivers.v1, waivers: []}"]
)
def test_a_file_of_another_shape_is_written_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    add_waiver(path, waiver("Ada"))
    assert load_waivers(path) == (waiver("Ada"),)


def test_a_broken_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text("schema: hilgui/waivers.v1\nwaivers:\n  - kind: phantm\n")
    with pytest.raises(WaiversBroken, match=r"waivers\.yaml"):
        add_waiver(path, waiver("Ada"))
    assert path.read_text().endswith("phantm\n")
