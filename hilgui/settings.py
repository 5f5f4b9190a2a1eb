"""Settings: command line over environment over the user's TOML file over defaults."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from hilgui.errors import CallWrong


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CriticalityLimits(_Section):
    """How close an object is; decides the severity of what happens to it."""

    near_m: float = Field(15.0, gt=0, description="a vulnerable road user this close is HIGH")
    far_m: float = Field(30.0, gt=0, description="... MEDIUM, further away LOW")
    vehicle_near_m: float = Field(
        8.0, gt=0, description="this close in the corridor a vehicle is HIGH, else a step lower"
    )
    near_share: float = Field(0.12, gt=0, le=1, description="share of the picture's height, without distance: HIGH")
    far_share: float = Field(0.06, gt=0, le=1, description="... MEDIUM, smaller LOW")
    ttc_s: float = Field(3.0, gt=0, description="an object in the corridor this close in time is critical")
    deceleration_mps2: float = Field(3.0, gt=0, description="... or where stopping short of it takes this much")
    smooth_s: float = Field(0.5, gt=0, description="heights of this long tell how quickly an object grows")
    corridor_half_m: float = Field(1.75, gt=0, description="half the width of the corridor at the vehicle")
    corridor_widening: float = Field(0.02, ge=0, description="metres that half gains for each metre ahead")
    polygon_foot: float = Field(0.35, gt=0, le=1, description="corridor without calibration: half width, lower border")
    polygon_apex: float = Field(0.05, gt=0, le=1, description="... at the horizon, shares of the picture's width")
    polygon_horizon: float = Field(0.45, ge=0, lt=1, description="... the horizon, share of the picture's height")
    vulnerable: tuple[str, ...] = ("person", "pedestrian", "rider", "cyclist", "bicycle", "motorcycle")


class MissedObjectLimits(_Section):
    """When an unmatched truth becomes a finding."""

    frames: int = Field(3, ge=1, description="consecutive frames without a match")
    min_height_px: float = Field(20.0, ge=0, description="smaller truths are nobody's fault")
    min_width_px: float = Field(6.0, ge=0, description="narrower truths are nobody's fault")
    max_occlusion: float = Field(0.6, ge=0, le=1)


class PhantomLimits(_Section):
    """When a detection without truth becomes a finding."""

    frames: int = Field(3, ge=1)
    score: float = Field(0.5, ge=0, le=1)
    iou: float = Field(0.1, ge=0, le=1, description="less than this with any truth or ignore region")
    corridor: bool = Field(True, description="only in the corridor of the vehicle; off for a camera that stands")


class FlickerLimits(_Section):
    """How many presence changes, within what time."""

    changes: int = Field(2, ge=2)
    changes_low: int = Field(4, ge=2, description="... of an object that matters little (LOW)")
    within_s: float = Field(0.5, gt=0)
    min_height_px: float = Field(20.0, ge=0, description="smaller objects come and go by right")


class ClassFlipLimits(_Section):
    """A class that differs from the track's usual one."""

    window: int = Field(10, ge=3, description="frames whose most frequent class counts as usual")
    frames: int = Field(2, ge=1, description="in a row that it is called otherwise")
    min_height_px: float = Field(20.0, ge=0, description="smaller objects come and go by right")


class ShortLivedLimits(_Section):
    """An object that a model shows for a moment only."""

    frames: int = Field(3, ge=2, description="seen in fewer frames than this")
    margin: float = Field(
        0.1, ge=0, le=1, description="of its best score above the threshold; less comes and goes by right"
    )


class DuplicateLimits(_Section):
    """One object with too many boxes."""

    boxes: int = Field(3, ge=2)
    iou: float = Field(0.5, gt=0, le=1, description="of every two of them")


class IdentitySwitchLimits(_Section):
    """A labelled object whose track changes."""

    within_s: float = Field(0.2, gt=0, description="since it was last matched; later it is a new track by right")


class JitterLimits(_Section):
    """A box that trembles around its object."""

    deviation: float = Field(0.08, gt=0, description="of the centre in sizes of the object, or of the log height")
    least_px: float = Field(2.0, ge=0, description="a smaller tremble is that of the grid of pixels")
    window: int = Field(10, ge=3, description="matched frames in a row")


class LateDetectionLimits(_Section):
    """An object that is first found some time after it could be asked for."""

    after_s: float = Field(0.3, gt=0)


class GapLimits(_Section):
    """An object that is lost between two matches."""

    longer_s: float = Field(0.3, gt=0)


class PoorLocalisationLimits(_Section):
    """A critical object with a box that fits badly."""

    least_iou: float = Field(0.1, ge=0, le=1, description="less is a miss and a phantom")
    frames: int = Field(3, ge=1)


class BorderlineLimits(_Section):
    """A score that stays near the threshold."""

    margin: float = Field(0.05, gt=0, le=1, description="to either side of the threshold")
    frames: int = Field(15, ge=2, description="in a row")
    min_height_px: float = Field(20.0, ge=0, description="smaller objects come and go by right")


class OverconfidentLimits(_Section):
    """Wrong and sure of it."""

    score: float = Field(0.9, gt=0, le=1, description="of a detection without truth")
    calibration_error: float = Field(0.1, gt=0, le=1, description="detection calibration error, ten bins of score")
    detections: int = Field(500, ge=1, description="before the calibration is judged")


class DriftLimits(_Section):
    """Scores or pictures that are not what they were."""

    psi: float = Field(0.2, gt=0, description="population stability index between two windows of scores")
    values: int = Field(1000, ge=100, description="scores in each of the two windows")
    delta: float = Field(0.002, gt=0, lt=1, description="confidence of ADWIN: chance of a false alarm")
    block_s: float = Field(0.2, gt=0, description="ADWIN looks at means over this: neighbouring frames are alike")
    rate: float = Field(0.05, gt=0, lt=1, description="chance of a false alarm against a reference in all `windows`")
    windows: int = Field(20, ge=1, description="windows of a stream that share the rate")
    features_per_s: float = Field(2.0, gt=0, le=100, description="samples of the networks' own features a second")


class DisagreementLimits(_Section):
    """When two models differ too much."""

    value: float = Field(0.3, gt=0, le=1, description="1 - F1, smoothed")
    smooth: int = Field(5, ge=1, description="frames of the moving mean")
    floor: float = Field(0.0, ge=0, lt=1, description="1 - F1 of a model against itself: so much is noise")


class TimeFaultLimits(_Section):
    """Stamps that cannot be right."""

    periods: float = Field(1.5, gt=1, description="from one frame to the next")
    offset_ms: float = Field(50.0, gt=0, description="between labels and pictures")


class OverExposedLimits(_Section):
    """When the picture is blinded."""

    saturated: float = Field(0.25, gt=0, le=1, description="share of the picture at 250 or above")


class BlurLimits(_Section):
    """When the picture lost its edges or its contrast."""

    share: float = Field(0.25, gt=0, lt=1, description="of the usual variance of the Laplacian")
    deviation: float = Field(15.0, ge=0, description="standard deviation of the grey levels below this")


class NoiseBurstLimits(_Section):
    """When the picture is noisy."""

    factor: float = Field(4.0, gt=1, description="times the usual variance of the Laplacian")


class DeadlineLimits(_Section):
    """Live and real time only."""

    limit_ms: float | None = Field(None, gt=0, description="default: the source's frame period")
    rate: float = Field(0.001, ge=0, lt=1, description="share of late frames that is nobody's fault")


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
    short_lived: ShortLivedLimits = ShortLivedLimits()
    duplicate: DuplicateLimits = DuplicateLimits()
    class_flip: ClassFlipLimits = ClassFlipLimits()
    identity_switch: IdentitySwitchLimits = IdentitySwitchLimits()
    jitter: JitterLimits = JitterLimits()
    late_detection: LateDetectionLimits = LateDetectionLimits()
    gap: GapLimits = GapLimits()
    poor_localisation: PoorLocalisationLimits = PoorLocalisationLimits()
    disagreement: DisagreementLimits = DisagreementLimits()
    borderline: BorderlineLimits = BorderlineLimits()
    overconfident: OverconfidentLimits = OverconfidentLimits()
    drift: DriftLimits = DriftLimits()
    time_fault: TimeFaultLimits = TimeFaultLimits()
    deadline_miss: DeadlineLimits = DeadlineLimits()
    frozen_frame: FrozenFrameLimits = FrozenFrameLimits()
    black_frame: BlackFrameLimits = BlackFrameLimits()
    over_exposed: OverExposedLimits = OverExposedLimits()
    blur: BlurLimits = BlurLimits()
    noise_burst: NoiseBurstLimits = NoiseBurstLimits()
    merge_gap: int = Field(5, ge=0, description="frames without a hit that do not end a finding")
    merge_s: float = Field(2.0, ge=0, description="... seconds, where it is about one object")


def stored_limits(settings: Mapping[str, Any]) -> CornerCaseLimits | None:
    """Read the limits that a run was made with from its header; None where a run of another version had others."""
    try:
        return CornerCaseLimits.model_validate(settings.get("corner_cases", {}))
    except ValidationError:
        return None


class ClipSettings(_Section):
    """What is kept around a finding."""

    before_s: float = Field(1.0, ge=0)
    after_s: float = Field(1.0, ge=0)
    budget_mb: int = Field(500, ge=0, description="per run; when it is spent the worst findings keep their pictures")
    ring_mb: int = Field(512, ge=16, description="memory for the frames before a finding")
    jpeg_quality: int = Field(90, ge=30, le=100)


class Settings(_Section):
    """Everything the operator can set; unknown keys are refused."""

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("hilgui", appauthor=False)))
    provider: Literal["auto", "cpu", "cuda", "tensorrt", "openvino", "directml", "coreml"] = "auto"
    precision: Literal["model", "fp32", "fp16", "bf16", "int8"] = Field(
        "model", description="model: what the file says"
    )
    cuda_graph: bool = Field(False, description="replay recorded launches on CUDA or TensorRT; fixed shapes only")
    workers: int = Field(0, ge=0, le=64, description="frames under way at once; 0: chosen by the source")
    threads: int = Field(0, ge=0, le=256, description="threads inside a model; 0: chosen by the source")
    spinning: bool = Field(False, description="threads inside a model wait busily: quicker, and they eat the cores")
    live_candidate: Literal["give_way", "every_frame"] = Field(
        "give_way", description="live: run only in the time that the baseline leaves, or whenever it is free"
    )
    inference_timeout_s: float = Field(60.0, gt=0, description="a picture that takes longer is ended, then the engine")
    memory_limit_mb: int = Field(0, ge=0, description="a run that holds more is ended; 0: nine tenths of the machine's")
    theme: Literal["system", "dark", "light"] = "system"
    operator: str = ""
    bench: str = ""
    device_under_test: str = ""
    disk_reserve_mb: int = Field(500, ge=0, description="a run stops before less than this is free")
    noise: str = Field("", description="run whose noise was measured: smaller differences are no findings")
    metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus may ask here, GET /metrics; 0: nobody may")
    metrics_host: str = Field("127.0.0.1", description="address that answers; the default is this machine alone")
    drift_reference: str = Field("", description="file that pictures and outputs are compared with while they come")
    drift_features: Literal["with_reference", "always", "never"] = Field(
        "with_reference", description="runs sample the networks' own features where the drift reference holds some"
    )
    clips: ClipSettings = ClipSettings()
    corner_cases: CornerCaseLimits = CornerCaseLimits()

    @property
    def runs(self) -> Path:
        """Give the folder where runs are kept."""
        return self.home / "runs"

    @property
    def models(self) -> Path:
        """Give the folder of the registry of models."""
        return self.home / "models"


def settings_file() -> Path:
    """Give the path of the user's settings, whether it exists or not."""
    return Path(platformdirs.user_config_dir("hilgui", appauthor=False)) / "settings.toml"


def load_settings(*, file: Path | None = None, environment: dict[str, str] | None = None, **given: Any) -> Settings:
    """Merge the layers; `given` are values of the command line, None meaning not given.

    Environment: HILGUI_HOME, HILGUI_PROVIDER, HILGUI_CORNER_CASES__PHANTOM__SCORE, ... (two underscores
    enter a section); an empty variable counts as not set. HILGUI_SETTINGS names another file. Raises CallWrong
    naming the layer and the key, with names that come near where there is no such setting.
    """
    environment = dict(os.environ) if environment is None else environment
    file = file or Path(environment.get("HILGUI_SETTINGS") or settings_file())
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}  # key → the layer that has the last word
    for key, value in _leaves(_from_file(file)):
        if key not in _KEYS:
            raise CallWrong(f"settings file {file}: there is no setting {key!r}; {_advice(key, str)}")
        _put(values, key, value)
        origins[key] = f"settings file {file}"
    for name, text in environment.items():
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS and text:
            key = name.removeprefix(_PREFIX).lower().replace("__", ".")
            if key not in _KEYS:
                raise CallWrong(f"{name} is not a setting; {_advice(key, _variable)}")
            _put(values, key, text)
            origins[key] = f"variable {name}"
    for name, value in given.items():
        if value is not None:
            _put(values, name.replace("__", "."), value)
            origins[name.replace("__", ".")] = "command line"
    try:
        return Settings.model_validate(values)
    except ValidationError as failure:
        raise CallWrong(_flaw(failure.errors()[0], origins)) from failure


def _keys(section: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner, f"{before}{name}.")
        else:
            yield before + name


_PREFIX = "HILGUI_"
_NOT_SETTINGS = {"HILGUI_SETTINGS", "HILGUI_TEST_BUNDLE", "HILGUI_TEST_DATA", "HILGUI_DEBUG", "HILGUI_PASSPHRASE_FILE"}
_KEYS = tuple(_keys(Settings))  # such as corner_cases.phantom.score
_WORDS = {  # what pydantic calls it, and what an operator calls it; anything else keeps pydantic's words
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "string_type": "text",
    "tuple_type": "a list of names, which only the settings file can hold",
    "path_type": "a path",
}


def _leaves(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield before + name, value


def _variable(key: str) -> str:
    return _PREFIX + key.replace(".", "__").upper()


def _advice(key: str, spell: Callable[[str], str]) -> str:
    """Suggest names that come near; else the ones outside every section."""
    near = difflib.get_close_matches(key, _KEYS, n=3, cutoff=0.7)
    if near:
        return f"did you mean {' or '.join(spell(known) for known in near)}?"
    outside = ", ".join(spell(known) for known in _KEYS if "." not in known)
    return f"there are {outside} and those of the sections clips and corner_cases"


def _flaw(error: ErrorDetails, origins: dict[str, str]) -> str:
    """Say in words which value of which layer is wrong, and what it must be."""
    key = ".".join(str(part) for part in error["loc"])
    layer = next((origins[known] for known in origins if key == known or key.startswith(f"{known}.")), "settings")
    wanted = _WORDS.get(error["type"], error["msg"].removeprefix("Input should be "))
    return f"{layer}: {key} is {error['input']!r}, but must be {wanted}"


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise CallWrong(f"settings file {file} cannot be read: {failure}; mend or remove it") from failure


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value
