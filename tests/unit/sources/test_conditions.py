"""Conditions told beside a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import SourceBroken
from hilgui.sources.conditions import find_conditions


def test_a_video_has_its_conditions_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "a.conditions.yaml").write_text("day_part: night\nweather: rain\nother: {road: motorway}\n")
    assert find_conditions(tmp_path / "a.mp4") == {"day_part": "night", "weather": "rain", "road": "motorway"}


def test_a_folder_has_them_inside(tmp_path: Path) -> None:
    (tmp_path / "conditions.yaml").write_text("day_part: day\n")
    assert find_conditions(tmp_path) == {"day_part": "day"}


def test_nothing_told_is_nothing_known(tmp_path: Path) -> None:
    assert find_conditions(tmp_path / "a.mp4") == {}


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "conditions.yaml").write_text("day_part: day\nwether: rain\n")
    with pytest.raises(SourceBroken, match=r"line 2: wether.*weather"):
        find_conditions(tmp_path)
