"""Settings: command line over environment over the user's TOML file over defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hilgui.errors import CallWrong


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CriticalityLimits(_Section):
    """How close an object is; decides the severity of what happens to it."""

    near_m: float = Field(15.0, gt=0, description="a vulnerable road user this close is HIGH")
    far_m: float = Field(30.0, gt=0, description="... MEDIUM, further away LOW")
    vehicle_near_m: float = Field(8.0, gt=0, description="this close a vehicle is HIGH too, else one step lower")
    near_share: float = Field(0.12, gt=0, le=1, description="share of the picture's height, without distance: HIGH")
    far_share: float = Field(0.06, gt=0, le=1, description="... MEDIUM, smaller LOW")
    vulnerable: tuple[str, ...] = ("person", "pedestrian", "rider", "cyclist", "bicycle", "motorcycle")


class MissedObjectLimits(_Section):
    """When an unmatched truth becomes a finding."""

    frames: int = Field(3, ge=1, description="consecutive frames without a match")
    min_height_px: float = Field(20.0, ge=0, description="smaller truths are nobody's fault")
    max_occlusion: float = Field(0.6, ge=0, le=1)


class PhantomLimits(_Section):
    """When a detection without truth becomes a finding."""

    frames: int = Field(3, ge=1)
    score: float = Field(0.5, ge=0, le=1)
    iou: float = Field(0.1, ge=0, le=1, description="less than this with any truth or ignore region")


class FlickerLimits(_Section):
    """How many presence changes, within what time."""

    changes: int = Field(2, ge=2)
    within_s: float = Field(0.5, gt=0)


class ClassFlipLimits(_Section):
    """A class that differs from the track's usual one."""

    window: int = Field(10, ge=3, description="frames whose most frequent class counts as usual")


class DisagreementLimits(_Section):
    """When two models differ too much."""

    value: float = Field(0.3, gt=0, le=1, description="1 - F1, smoothed")
    smooth: int = Field(5, ge=1, description="frames of the moving mean")


class DeadlineLimits(_Section):
    """Live and real time only."""

    limit_ms: float | None = Field(None, gt=0, description="default: the source's frame period")


class FrozenFrameLimits(_Section):
    """When the camera repeats itself."""

    change: float = Field(0.5, ge=0, description="mean absolute grey difference below this")
    frames: int = Field(3, ge=1)
    moving: float = Field(1.5, ge=0, description="median change over the second before that counts as moving")


class BlackFrameLimits(_Section):
    """When the picture is dark."""

    mean: float = Field(10.0, ge=0, le=255)


class CornerCaseLimits(_Section):
    """Thresholds of the detectors, one section each."""

    criticality: CriticalityLimits = CriticalityLimits()
    missed_object: MissedObjectLimits = MissedObjectLimits()
    phantom: PhantomLimits = PhantomLimits()
    flicker: FlickerLimits = FlickerLimits()
    class_flip: ClassFlipLimits = ClassFlipLimits()
    disagreement: DisagreementLimits = DisagreementLimits()
    deadline_miss: DeadlineLimits = DeadlineLimits()
    frozen_frame: FrozenFrameLimits = FrozenFrameLimits()
    black_frame: BlackFrameLimits = BlackFrameLimits()
    merge_gap: int = Field(5, ge=0, description="frames without a hit that do not end a finding")


class ClipSettings(_Section):
    """What is kept around a finding."""

    before_s: float = Field(1.0, ge=0)
    after_s: float = Field(1.0, ge=0)
    budget_mb: int = Field(500, ge=0, description="per run; later findings stay without pictures")
    ring_mb: int = Field(512, ge=16, description="memory for the frames before a finding")
    jpeg_quality: int = Field(90, ge=30, le=100)


class Settings(_Section):
    """Everything the operator can set; unknown keys are refused."""

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("hilgui", appauthor=False)))
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    workers: int = Field(0, ge=0, le=64, description="replay workers; 0: one for each core")
    theme: Literal["system", "dark", "light"] = "system"
    operator: str = ""
    bench: str = ""
    device_under_test: str = ""
    disk_reserve_mb: int = Field(500, ge=0, description="a run stops before less than this is free")
    clips: ClipSettings = ClipSettings()
    corner_cases: CornerCaseLimits = CornerCaseLimits()

    @property
    def runs(self) -> Path:
        """Give the folder where runs are kept."""
        return self.home / "runs"


def settings_file() -> Path:
    """Give the path of the user's settings, whether it exists or not."""
    return Path(platformdirs.user_config_dir("hilgui", appauthor=False)) / "settings.toml"


def load_settings(*, file: Path | None = None, environment: dict[str, str] | None = None, **given: Any) -> Settings:
    """Merge the layers; `given` are values of the command line, None meaning not given.

    Environment: HILGUI_HOME, HILGUI_PROVIDER, HILGUI_CORNER_CASES__PHANTOM__SCORE, ... (two underscores
    enter a section). HILGUI_SETTINGS names another file. Raises CallWrong naming the layer and the key.
    """
    environment = dict(os.environ) if environment is None else environment
    file = file or Path(environment.get("HILGUI_SETTINGS", settings_file()))
    values = _from_file(file)
    for name, text in environment.items():
        if name.startswith("HILGUI_") and name not in _NOT_SETTINGS:
            _put(values, name.removeprefix("HILGUI_").lower().split("__"), text)
    for name, value in given.items():
        if value is not None:
            _put(values, name.split("__"), value)
    try:
        return Settings.model_validate(values)
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CallWrong(
            f"setting {key}: {first['msg']} (got {first.get('input')!r}); "
            f"look at {file}, the HILGUI_ variables and the command line"
        ) from failure


_NOT_SETTINGS = {"HILGUI_SETTINGS", "HILGUI_TEST_DATA", "HILGUI_DEBUG"}


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise CallWrong(f"settings file {file} cannot be read: {failure}; mend or remove it") from failure


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, key = path
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            return
        values = inner
    values[key] = value
