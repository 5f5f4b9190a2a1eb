"""What a CAN device of a rig profile reads and sends, by name, out of a DBC file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devices.rigs.slcan_frame import CanFrame
from hilgui.errors import ProfileBroken
from hilgui.rigs import Channel, DeviceSpec

if TYPE_CHECKING:
    from cantools.database.can import Database, Message, Signal  # noqa: TC004 (slow to import; only names here)

BUS, REST_BUS = "bus", "rest_bus"
_LARGEST = 32 * 2**20  # bytes of a DBC
_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
_Cycle = Annotated[float, Field(ge=10, le=10_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListenWish(_Part):
    """A signal that is read."""

    name: _Name
    message: str
    signal: str
    stale_ms: Annotated[float, Field(gt=0, le=60_000)] = 1000.0  # older than that it is no value


class SendWish(_Part):
    """A signal that is sent."""

    name: _Name
    message: str
    signal: str
    cycle_ms: _Cycle | None = None  # None: once, when it is set
    safe: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    hazardous: bool = True
    confirmed_by: Annotated[str, Field(pattern=r"^\w+\.\w+$")] | None = None  # Message.Signal that says what came of it
    stale_ms: Annotated[float, Field(gt=0, le=60_000)] = 1000.0
    counter: str | None = None


class RestWish(_Part):
    """A message that is sent in place of a control unit that the bench does not have."""

    message: str
    cycle_ms: _Cycle
    values: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)
    counter: str | None = None


class SlcanOptions(_Part):
    """The `options` of an slcan device in a rig profile."""

    dbc: str
    bitrate: Literal[10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000]
    listen: tuple[ListenWish, ...] = ()
    send: tuple[SendWish, ...] = ()
    rest_bus: tuple[RestWish, ...] = ()
    receiver_timeout_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0  # then the receivers of `send` fall back


@dataclass(frozen=True, slots=True)
class Source:
    """A signal on the bus and how long a value of it counts."""

    message: str
    signal: str
    stale_s: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours: what it holds in the safe state, how often it is sent."""

    message: Message
    safe: Mapping[str, float]
    cycle_s: float | None
    counter: str | None

    def frame(self, values: Mapping[str, float], count: int) -> CanFrame:
        """Make the frame; the counter signal, where there is one, counts and wraps."""
        counted = dict(values)
        if self.counter is not None:
            counted[self.counter] = count % 2 ** self.message.get_signal_by_name(self.counter).length
        data = self.message.encode(counted, strict=False)
        return CanFrame(self.message.frame_id, bytes(data), self.message.is_extended_frame)


@dataclass(frozen=True, slots=True)
class CanMap:
    """Channels and messages of one device."""

    options: SlcanOptions
    database: Database
    channels: tuple[Channel, ...]
    sources: Mapping[str, Source]  # channel, where its value is read
    targets: Mapping[str, tuple[str, str]]  # channel, the message and signal that set it
    sent: Mapping[str, Sent]  # message
    rest: Mapping[str, Sent]

    def decode(self, frame: CanFrame) -> tuple[str, Mapping[str, float]] | None:
        """Give message name and values; None for a frame that the DBC does not have or that contradicts it."""
        try:
            message = self.database.get_message_by_frame_id(frame.number)
            if message.is_extended_frame != frame.is_extended:
                return None
            values = message.decode(frame.data, decode_choices=False, allow_truncated=True)
        except Exception:  # cantools raises KeyError, its own and bitstruct's errors for frames of strangers
            return None
        if not isinstance(values, dict):
            return None
        return message.name, {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def map_of(device: DeviceSpec) -> CanMap:
    """Read options and DBC; raises ProfileBroken."""
    try:
        options = SlcanOptions.model_validate(dict(device.options))
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ProfileBroken(f"{device.name}: options.{key}: {first['msg']}") from failure
    path = Path(options.dbc)
    try:
        stat = path.stat()
    except OSError as failure:
        raise ProfileBroken(f"{device.name}: the DBC {path} cannot be read: {failure}", path=path) from failure
    if stat.st_size > _LARGEST:
        raise ProfileBroken(f"{device.name}: the DBC {path} is larger than 32 MiB", path=path)
    return _built(device.name, options.model_dump_json(), path, stat.st_mtime_ns)


@lru_cache(maxsize=16)
def _built(device: str, options_json: str, path: Path, _changed_ns: int) -> CanMap:
    options = SlcanOptions.model_validate_json(options_json)
    book = _Book(device, path)
    channels: list[Channel] = []
    sources: dict[str, Source] = {}
    for listened in options.listen:
        signal = book.signal(listened.message, listened.signal)
        channels.append(_channel(listened.name, signal))
        sources[listened.name] = Source(listened.message, listened.signal, listened.stale_ms / 1000)
    targets, sent = _sent(options, book)
    for wish in options.send:
        channels.append(_channel(wish.name, book.signal(wish.message, wish.signal), wish))
        message, signal_name = wish.message, wish.signal
        if wish.confirmed_by is not None:
            message, _, signal_name = wish.confirmed_by.partition(".")
            book.signal(message, signal_name)
        sources[wish.name] = Source(message, signal_name, wish.stale_ms / 1000)
        is_late = wish.cycle_ms is None or 2 * wish.cycle_ms > options.receiver_timeout_ms
        if options.receiver_timeout_ms and wish.hazardous and is_late:
            raise book.broken(f"{wish.name}: receivers time out, so it needs a cycle_ms of at most half of that")
    rest = {}
    for told in options.rest_bus:
        if told.message in sent or told.message in rest:
            raise book.broken(f"rest_bus: {told.message} is sent already")
        safe = book.defaults(told.message, told.values)
        rest[told.message] = Sent(
            book.own(told.message), safe, told.cycle_ms / 1000, book.counter(told.message, told.counter)
        )
    channels.append(Channel(BUS, "", 0.0, 3.0))
    if rest:
        channels.append(Channel(REST_BUS, "", 0.0, 1.0, is_writable=True, is_hazardous=True, safe=0.0))
    names = [channel.name for channel in channels]
    if len(set(names)) != len(names):
        raise book.broken(f"two channels have the same name, or one is called {BUS} or {REST_BUS}")
    return CanMap(options, book.database, tuple(channels), sources, targets, sent, rest)


def _sent(options: SlcanOptions, book: _Book) -> tuple[dict[str, tuple[str, str]], dict[str, Sent]]:
    targets = {}
    sent: dict[str, Sent] = {}
    for name in dict.fromkeys(wish.message for wish in options.send):
        wishes = [wish for wish in options.send if wish.message == name]
        safe = book.defaults(name, {wish.signal: wish.safe for wish in wishes})
        cycles = [wish.cycle_ms / 1000 for wish in wishes if wish.cycle_ms is not None]
        counters = [wish.counter for wish in wishes if wish.counter is not None]
        counter = book.counter(name, counters[0] if counters else None)
        sent[name] = Sent(book.own(name), safe, min(cycles, default=None), counter)
        targets.update({wish.name: (name, wish.signal) for wish in wishes})
    return targets, sent


class _Book:
    """A DBC file and its names; what is missing is a ProfileBroken with the nearest name."""

    def __init__(self, device: str, path: Path) -> None:
        from cantools import database

        self._device = device
        self._path = path
        try:
            loaded = database.load_file(path, database_format="dbc", strict=False)
        except Exception as failure:  # cantools' parser raises its own and Python's errors alike
            said = (str(failure) or type(failure).__name__).splitlines()[0]
            raise ProfileBroken(f"{device}: {path} is no DBC: {said}", path=path) from failure
        if not isinstance(loaded, database.can.Database):
            raise ProfileBroken(f"{device}: {path} describes no CAN bus", path=path)
        self.database = loaded

    def broken(self, sentence: str) -> ProfileBroken:
        return ProfileBroken(f"{self._device}: {sentence} ({self._path.name})", path=self._path)

    def message(self, name: str) -> Message:
        known = {message.name: message for message in self.database.messages}
        if name not in known:
            raise self.broken(f"there is no message {name!r}{_nearest(name, known)}")
        return known[name]

    def signal(self, message: str, name: str) -> Signal:
        known = {signal.name: signal for signal in self.message(message).signals}
        if name not in known:
            raise self.broken(f"{message} has no signal {name!r}{_nearest(name, known)}")
        return known[name]

    def own(self, name: str) -> Message:
        message = self.message(name)
        if message.is_multiplexed() or message.is_fd or message.length > 8:
            raise self.broken(f"{name} is multiplexed or CAN FD, and such messages are not sent")
        return message

    def counter(self, message: str, name: str | None) -> str | None:
        return None if name is None else self.signal(message, name).name

    def defaults(self, message: str, values: Mapping[str, float]) -> dict[str, float]:
        """Give a value to every signal: the told one, else the DBC's initial one, else what raw zero means."""
        for name, value in values.items():
            low, high = _range(self.signal(message, name))
            if not low <= value <= high:
                raise self.broken(f"{message}.{name}: {value:g} is outside {low:g} to {high:g}")
        return {
            signal.name: values.get(signal.name, float(signal.initial or signal.conversion.raw_to_scaled(0, False)))  # type: ignore[arg-type]
            for signal in self.own(message).signals
        }


def _channel(name: str, signal: Signal, wish: SendWish | None = None) -> Channel:
    low, high = _range(signal)
    unit = signal.unit or ""
    if wish is None:
        return Channel(name, unit, low, high)
    tolerance = abs(float(signal.scale)) / 2
    return Channel(
        name, unit, low, high, is_writable=True, is_hazardous=wish.hazardous, safe=wish.safe, tolerance=tolerance
    )


def _range(signal: Signal) -> tuple[float, float]:
    """Give the limits of the DBC, else what the bits can hold."""
    if signal.minimum is not None and signal.maximum is not None and signal.minimum < signal.maximum:
        return float(signal.minimum), float(signal.maximum)
    if signal.conversion.is_float:
        return -1e30, 1e30
    lowest = -(2 ** (signal.length - 1)) if signal.is_signed else 0
    highest = lowest + 2**signal.length - 1
    ends = sorted(float(raw * signal.scale + signal.offset) for raw in (lowest, highest))
    return ends[0], ends[1]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
