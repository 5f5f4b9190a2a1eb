"""The rig profile: devices, ports, limits, invariants. YAML that people write; a mistake names its line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hilgui.documents import line_in, read_document
from hilgui.errors import ProfileBroken
from hilgui.rigs.cage import Invariant, MinorRule, parse_invariant
from hilgui.rigs.cage.invariant import DeclarationWrong
from hilgui.rigs.ports import SerialSettings
from hilgui.rigs.protocol import DeviceSpec

SCHEMA = "hilgui/rig.v1"
EVENTS = frozenset({"commands"})  # signals that the supervisor makes itself
PERCEPTION = "perception"  # the device name under which the engine reports its figures

_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PortWish(_Part):
    """Where a device is: exactly one way to find it, by what it is and not by the order of plugging in."""

    usb_serial: str | None = Field(None, min_length=1, description="serial number of the USB adaptor")
    vid_pid: str | None = Field(None, pattern=r"^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$", description='"0403:6001"')
    by_id: str | None = Field(None, min_length=1, pattern=r"^[^/]+$", description="name below /dev/serial/by-id")
    url: str | None = Field(None, pattern=r"^socket://[^/\s]+:\d+$", description="socket://host:port")
    path: str | None = Field(None, min_length=1, description="a device file or COM port that is always the same")
    simulator: Literal[True] | None = Field(None, description="the simulator of the driver, started with the rig")

    @model_validator(mode="after")
    def _one_way(self) -> PortWish:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}, not {len(given)}")
        if self.path is not None and re.search(r"tty(USB|ACM)\d+$", self.path):
            raise ValueError(f"{self.path} changes with the order of plugging in; use usb_serial or by_id")
        return self


class SerialWish(_Part):
    """How bytes are framed on the wire."""

    baud: int = Field(115200, ge=300, le=12_000_000)
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    raise_dtr: bool = Field(True, description="false keeps an Arduino from resetting on open")


class ChannelLimits(_Part):
    """Limits of one channel, tighter than what the driver says; and its safe value, where the bench knows better."""

    low: float | None = Field(None, allow_inf_nan=False)
    high: float | None = Field(None, allow_inf_nan=False)
    unit: str | None = Field(None, description="checked against the driver's")
    safe: float | None = Field(None, allow_inf_nan=False)


class CutBy(_Part):
    """The relay that takes the power of a device away, by itself when nobody feeds it."""

    device: _Name
    channel: _Name
    off: float = Field(0.0, description="value of the relay's channel that means no power", allow_inf_nan=False)


class DeviceWish(_Part):
    """One device of the rig."""

    name: _Name
    driver: str
    port: PortWish
    serial: SerialWish = SerialWish()
    identity: str = Field("", description="has to occur in what the device says it is")
    options: dict[str, Any] = Field(default_factory=dict, description="the driver's own")
    channels: dict[_Name, ChannelLimits] = Field(default_factory=dict)
    cut_by: CutBy | None = Field(None, description="needed where the device has no dead-man of its own")
    silent: str = Field("", description="what the device does when the host falls silent, in words")


class Hazard(_Part):
    """What could happen, and how bad it would be."""

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    severity: Literal["S1", "S2", "S3"] = "S1"


class MinorWish(_Part):
    """So many minor violations within so long are a major one."""

    count: int = Field(5, ge=1, le=1000)
    within_s: float = Field(60.0, gt=0, le=3600)


class ProfileYaml(_Part):
    """The file that people write."""

    schema_: Literal["hilgui/rig.v1"] = Field(alias="schema")
    name: str = Field(min_length=1, max_length=80)
    devices: tuple[DeviceWish, ...] = Field(min_length=1, max_length=32)
    hazards: tuple[Hazard, ...] = ()
    invariants: tuple[dict[str, Any], ...] = Field((), max_length=500)
    minor: MinorWish = MinorWish()

    @model_validator(mode="before")
    @classmethod
    def _without_marks(cls, tree: Any) -> Any:
        return _plain(tree)


@dataclass(frozen=True, slots=True)
class RigProfile:
    """A profile that was read and does not contradict itself; picklable, goes to the supervisor as it is."""

    path: Path
    name: str
    devices: tuple[DeviceWish, ...]
    hazards: tuple[Hazard, ...]
    invariants: tuple[Invariant, ...]
    minor: MinorRule

    @property
    def slug(self) -> str:
        """Give the name for folders."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "rig"


def spec_of(device: DeviceWish) -> DeviceSpec:
    """Give what the driver is made with."""
    return DeviceSpec(device.name, device.driver, device.options, device.identity)


def serial_settings(wish: SerialWish) -> SerialSettings:
    """Give what the port is opened with."""
    return SerialSettings(wish.baud, wish.data_bits, wish.parity, wish.stop_bits, wish.raise_dtr)


def read_profile(path: Path) -> RigProfile:
    """Read a profile; raises ProfileBroken with file and line."""
    wish = read_document(path, ProfileYaml, what="rig profile", broken=ProfileBroken, guide="docs/rigs.md")
    hazards = {hazard.id for hazard in wish.hazards}
    names = [device.name for device in wish.devices]
    for index, device in enumerate(wish.devices):
        where = ("devices", index)
        if device.name in names[:index] or device.name in (*EVENTS, PERCEPTION):
            raise profile_broken(path, (*where, "name"), f"the name {device.name} is taken")
        if device.cut_by is not None and (device.cut_by.device == device.name or device.cut_by.device not in names):
            raise profile_broken(path, (*where, "cut_by"), f"{device.cut_by.device} is no other device of this rig")
    invariants: list[Invariant] = []
    for index, fields in enumerate(wish.invariants):
        try:
            invariant = parse_invariant(fields)
        except DeclarationWrong as failure:
            raise profile_broken(path, ("invariants", index, failure.key), str(failure)) from failure
        if invariant.id in {other.id for other in invariants}:
            raise profile_broken(path, ("invariants", index, "id"), f"the id {invariant.id} is taken")
        if invariant.hazard_id not in hazards:
            sentence = f"there is no hazard {invariant.hazard_id} in hazards"
            raise profile_broken(path, ("invariants", index, "hazard_id"), sentence)
        owner = invariant.signal.partition(".")[0]
        if invariant.signal not in EVENTS and owner not in (*names, PERCEPTION):
            sentence = f"{invariant.signal}: there is no device {owner}; there are {', '.join(names)}, {PERCEPTION}"
            raise profile_broken(path, ("invariants", index, "signal"), sentence)
        invariants.append(invariant)
    minor = MinorRule(wish.minor.count, wish.minor.within_s)
    devices = tuple(_with_files(device, path.parent) for device in wish.devices)
    return RigProfile(path, wish.name, devices, wish.hazards, tuple(invariants), minor)


def _with_files(device: DeviceWish, folder: Path) -> DeviceWish:
    """Find the files that options name beside the profile: an option that begins with ./ is one."""
    options = {
        key: str((folder / value).resolve()) if isinstance(value, str) and value.startswith("./") else value
        for key, value in device.options.items()
    }
    return device.model_copy(update={"options": options})


def _plain(value: Any) -> Any:
    """Turn the loader's own types into plain ones: they go to another process, and drivers see them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            plain = kind(value)
            return str(plain) if isinstance(plain, float) and not math.isfinite(plain) else plain
    return value if value is None else str(value)


def profile_broken(path: Path, location: tuple[int | str, ...], sentence: str) -> ProfileBroken:
    """Give the error for a place of a profile, such as ("devices", 0, "cut_by"): file, line, key, sentence."""
    line = line_in(path, location)
    key = ".".join(str(part) for part in location)
    return ProfileBroken(f"{path}, line {line}: {key}: {sentence}", path=path, line=line)
