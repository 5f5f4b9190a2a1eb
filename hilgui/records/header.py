"""The header of a run: everything needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hilgui.records.attestation import Attestation, provider_name
from hilgui.records.camera import CameraGeometry
from hilgui.records.inference import Role
from hilgui.records.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The recording of a run."""

    name: str
    kind: str  # "video", "image folder"
    path: str
    sha256: str
    width: int  # 0 where the frames differ in size
    height: int
    fps: float | None  # nominal rate; None for an unordered set
    frames: int | None  # counted by the index, not read from the header of the file
    ordered: bool  # False: a set of images without time
    live: bool = False
    camera: dict[str, Any] | None = None  # intrinsics as the recording states them: width, height, model, K, D, frame
    notes: tuple[str, ...] = ()  # sentences for the operator: what was reduced, rotated, left out
    cameras: tuple[dict[str, Any], ...] = ()  # of several: channel, path, sha256, topic, fps, camera, geometry
    geometry: CameraGeometry | None = None  # where the camera looks from, as far as somebody tells it
    regions: tuple[tuple[float, float, float, float], ...] = ()  # x1 y1 x2 y2 px, not judged: its profile
    corrupt: tuple[str, ...] = ()  # "fog:3": what was done to pictures and stream on purpose, in this order
    corrupt_seed: int = 0
    corrupt_depth: str = ""  # depth maps of its fog: a file or a folder
    of_frames: int | None = None  # of the whole recording, where only a part was played on purpose

    @property
    def channels(self) -> tuple[str, ...]:
        """Name the cameras; empty for a drive of one."""
        return tuple(str(each["channel"]) for each in self.cameras)

    @property
    def rates(self) -> dict[str, float | None]:
        """Give the nominal rate of each camera by its channel; "" is that of a drive of one."""
        return {str(each["channel"]): each["fps"] for each in self.cameras} or {"": self.fps}

    @property
    def recordings(self) -> dict[str, str]:
        """Give the hash of each file or folder by its path; empty where an old run did not keep that of a camera."""
        if not self.cameras:
            return {self.path: self.sha256}
        return {str(each["path"]): str(each.get("sha256", "")) for each in self.cameras}

    def moved(self, places: Mapping[str, str]) -> SourceFacts:
        """Give the same recording in other places, by the paths of before."""
        cameras = tuple(each | {"path": places.get(each["path"], each["path"])} for each in self.cameras)
        return replace(self, path=places.get(self.path, self.path), cameras=cameras)

    def geometry_of(self, channel: str) -> CameraGeometry | None:
        """Tell where one camera of the drive looks from; None where nobody tells.

        A run that was stored before each camera had its own knows that of the first alone.
        """
        for place, each in enumerate(self.cameras):
            if each["channel"] == channel:
                if "geometry" not in each:
                    return self.geometry if place == 0 else None
                told = each["geometry"]
                return None if told is None else CameraGeometry(**told)
        return self.geometry


@dataclass(frozen=True, slots=True)
class TruthFacts:
    """The labels of a run."""

    path: str
    sha256: str
    format: str
    join: str  # "key", "frame" or "time"
    frames: int  # frames of the source that the labels know
    class_map: dict[str, str] = field(default_factory=dict)  # label name → compared name
    unmapped: tuple[str, ...] = ()  # label names that are not compared
    conditions: dict[str, str] = field(default_factory=dict)  # day part, weather, as the label file says
    offset_ms: float = 0.0  # recording's clock minus the labels'; 0 where one side has none, and in old runs


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model of a run, as it really ran."""

    name: str
    path: str
    sha256: str
    adapter: str
    provider: str  # execution provider that took the nodes, read back from the session
    device: str
    threads: int
    threshold: float
    nms_iou: float | None
    input_width: int
    input_height: int
    classes: tuple[str, ...]
    licence: str = ""
    card: str = ""  # path of the card, empty when the adapter was recognised
    task: str = "detection"  # a Task; runs stored before there were others are detectors
    attestation: Attestation | None = None  # None in runs stored before there was one

    @property
    def runs_on(self) -> str:
        """Say in one line what ran it: "CPU · 8 of 8 nodes · fp32"; the provider alone in old runs."""
        if self.attestation is None:
            return provider_name(self.provider)
        return self.attestation.in_short(self.provider)


@dataclass(frozen=True, slots=True)
class People:
    """Who ran it, on what, and why: all settable by the operator."""

    operator: str = ""
    bench: str = ""
    device_under_test: str = ""
    notes: str = ""
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Written before the first frame; never changed afterwards."""

    run_id: str
    created: str  # ISO 8601, UTC
    version: str
    commit: str  # of the checkout, "" in an installed package
    command: tuple[str, ...]
    settings: dict[str, Any]
    host: dict[str, str]
    people: People
    source: SourceFacts
    truth: TruthFacts | None
    models: dict[Role, ModelFacts]
    vocabulary: Vocabulary
    speed: str  # "max", "realtime" or a factor
    workers: int
    schema_version: int = 1
    staffing: str = ""  # how threads and workers were shared out, and why; empty in old runs
    noise: dict[str, Any] = field(default_factory=dict)  # run_id, score, box_px, disagreement: see SelfNoise
    bench_check: dict[str, Any] = field(default_factory=dict)  # self-check of the last 24 h: utc, verdict, rig, what

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        plain = asdict(self)
        plain["models"] = {role.value: asdict(facts) for role, facts in self.models.items()}
        plain["vocabulary"] = {"names": list(self.vocabulary.names), "judged": sorted(self.vocabulary.judged)}
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> RunHeader:
        """Read what `as_json` wrote; raises KeyError or TypeError on anything else."""
        truth = plain["truth"]
        return cls(
            **{
                **plain,
                "command": tuple(plain["command"]),
                "people": People(**{**plain["people"], "tickets": tuple(plain["people"]["tickets"])}),
                "source": _source_from_json(plain["source"]),
                "truth": None if truth is None else TruthFacts(**{**truth, "unmapped": tuple(truth["unmapped"])}),
                "models": {Role(role): _model(facts) for role, facts in plain["models"].items()},
                "vocabulary": Vocabulary(tuple(plain["vocabulary"]["names"]), frozenset(plain["vocabulary"]["judged"])),
            }
        )


def _model(plain: dict[str, Any]) -> ModelFacts:
    told = plain.get("attestation")
    attestation = None if told is None else Attestation(**told)
    return ModelFacts(**{**plain, "classes": tuple(plain["classes"]), "attestation": attestation})


def _source_from_json(plain: dict[str, Any]) -> SourceFacts:
    geometry = plain.get("geometry")
    return SourceFacts(
        **{
            **plain,
            "notes": tuple(plain.get("notes", ())),
            "cameras": tuple(plain.get("cameras", ())),
            "regions": tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in plain.get("regions", ())),
            "corrupt": tuple(plain.get("corrupt", ())),
            "geometry": None if geometry is None else CameraGeometry(**geometry),
        }
    )
