"""Conditions of a recording that nobody can read from its frames: day part, weather, road, told in a file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hilgui.documents import read_document
from hilgui.errors import SourceBroken

NAME = "conditions.yaml"


class ConditionsYaml(BaseModel):
    """The file that people write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    day_part: str = Field("", max_length=40, description="day, dusk, night …")
    weather: str = Field("", max_length=40, description="clear, rain, fog, snow …")
    other: dict[str, str] = Field(default_factory=dict, max_length=20, description="road: motorway, place: tunnel …")


def find_conditions(recording: Path) -> dict[str, str]:
    """Read what is told about a recording, empty where nothing is; raises SourceBroken with the line.

    For `drive.mp4`: `drive.conditions.yaml`. For a folder: `conditions.yaml` inside it, then `NAME.conditions.yaml`
    beside it.
    """
    stem = recording.name if recording.is_dir() else recording.stem
    beside = recording.parent / f"{stem}.{NAME}"
    places = (recording / NAME, beside) if recording.is_dir() else (beside,)
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        return {}
    told = read_document(found, ConditionsYaml, what="conditions file", broken=SourceBroken, guide="docs/slices.md")
    named = {"day_part": told.day_part, "weather": told.weather}
    return {name: value for name, value in named.items() if value} | told.other
