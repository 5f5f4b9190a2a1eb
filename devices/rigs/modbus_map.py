"""The register map of a Modbus board, as the options of a rig profile describe it."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from devices.rigs.modbus_frame import Function
from hilgui.errors import ProfileBroken
from hilgui.rigs import Channel, DeviceSpec

_Address = Annotated[int, Field(ge=0, le=65535)]
_TABLES = {
    "coil": Function.READ_COILS,
    "discrete_input": Function.READ_DISCRETE_INPUTS,
    "holding_register": Function.READ_HOLDING_REGISTERS,
    "input_register": Function.READ_INPUT_REGISTERS,
}
_FORMATS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f"}
_BITS = (Function.READ_COILS, Function.READ_DISCRETE_INPUTS)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PointWish(_Part):
    """One channel of the board: exactly one of the four tables says where it is."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
    coil: _Address | None = None
    discrete_input: _Address | None = None
    holding_register: _Address | None = None
    input_register: _Address | None = None
    type: Literal["uint16", "int16", "uint32", "int32", "float32"] = "uint16"
    words: Literal["high_first", "low_first"] = "high_first"  # of a 32-bit value
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0  # value = raw × scale
    unit: str = ""
    low: float | None = None
    high: float | None = None
    safe: float | None = None
    tolerance: Annotated[float, Field(ge=0)] | None = None
    writable: bool | None = None  # coils are unless told otherwise
    hazardous: bool | None = None  # writable coils are unless told otherwise
    confirmed_by: _Address | None = Field(None, description="discrete input that shows what the relay really does")

    @model_validator(mode="after")
    def _one_table(self) -> PointWish:
        given = [name for name in _TABLES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{self.name}: give exactly one of {', '.join(_TABLES)}")
        if self.writable and given[0] in ("discrete_input", "input_register"):
            raise ValueError(f"{self.name}: a {given[0]} cannot be written")
        if given[0] == "holding_register" and self.hazardous:
            raise ValueError(f"{self.name}: a hazardous output has to be a coil: a STOP is one frame")
        if self.confirmed_by is not None and given[0] != "coil":
            raise ValueError(f"{self.name}: confirmed_by is for coils")
        if given[0] in ("holding_register", "input_register") and (self.low is None or self.high is None):
            raise ValueError(f"{self.name}: a register needs low and high, in its unit")
        if given[0] not in ("holding_register", "input_register") and self.safe not in (None, 0, 1):
            raise ValueError(f"{self.name}: a coil is safe at 0 or 1")
        return self


class WatchdogWish(_Part):
    """The board's own watchdog: what it is set to, and what feeds it."""

    timeout_register: _Address
    register_ms: Annotated[float, Field(gt=0)] = 1.0  # unit of that register
    timeout_ms: Annotated[float, Field(gt=0, le=60_000)]
    feed_register: _Address | None = None  # None: any request feeds it
    feed_value: Annotated[int, Field(ge=0, le=65535)] = 1


class BoardWish(_Part):
    """The `options` of a Modbus device in a rig profile."""

    address: Annotated[int, Field(ge=1, le=247)] = 1  # 0 would be a broadcast, which nobody answers
    gap_ms: Annotated[float, Field(ge=0.1, le=50)] = 4.0  # 3.5 characters: 4.0 at 9600 baud, 1.75 above 19200
    identify: Literal["device_id", "server_id"] = "device_id"  # function 43/14 or 17
    points: Annotated[tuple[PointWish, ...], Field(min_length=1, max_length=200)]
    watchdog: WatchdogWish | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One channel: its table, address and how its bits are a number."""

    channel: Channel
    table: Function
    address: int
    confirmed_by: int | None
    form: str
    is_low_first: bool
    scale: float

    @property
    def source(self) -> tuple[Function, int]:
        """Give where its value is read: the confirming input, where there is one."""
        if self.confirmed_by is not None:
            return Function.READ_DISCRETE_INPUTS, self.confirmed_by
        return self.table, self.address

    @property
    def words(self) -> int:
        """Give how many addresses it takes."""
        return struct.calcsize(self.form) // 2 if self.table not in _BITS else 1

    def value(self, raw: Sequence[int]) -> float:
        """Give the value out of one bit or its registers."""
        if self.table in _BITS:
            return float(raw[0])
        ordered = raw[::-1] if self.is_low_first else raw
        number = struct.unpack(self.form, struct.pack(f">{len(ordered)}H", *ordered))[0]
        return float(number) * self.scale

    def raw(self, value: float) -> tuple[int, ...]:
        """Give the registers of a value; raises OverflowError where they cannot hold it."""
        number = value / self.scale
        try:
            data = struct.pack(self.form, number if self.form == ">f" else round(number))
        except struct.error as failure:
            raise OverflowError(str(failure)) from failure
        words: tuple[int, ...] = struct.unpack(f">{len(data) // 2}H", data)
        return words[::-1] if self.is_low_first else words


@dataclass(frozen=True, slots=True)
class Board:
    """A map that does not contradict itself."""

    wish: BoardWish
    points: tuple[Point, ...]

    @property
    def coils(self) -> tuple[Point, ...]:
        """Give the writable coils in the order of their addresses: neighbours, one frame sets them all."""
        coils = [point for point in self.points if point.table is Function.READ_COILS and point.channel.is_writable]
        return tuple(sorted(coils, key=lambda point: point.address))

    def point(self, name: str) -> Point | None:
        """Find a point by its channel's name."""
        return next((point for point in self.points if point.channel.name == name), None)

    def spans(self) -> list[tuple[Function, int, int]]:
        """Give the reads that bring every point: table, first address, count; neighbours together."""
        addresses: dict[Function, set[int]] = {}
        for point in self.points:
            table, first = point.source
            addresses.setdefault(table, set()).update(range(first, first + point.words))
        spans: list[tuple[Function, int, int]] = []
        for table, wanted in sorted(addresses.items()):
            for address in sorted(wanted):
                if spans and spans[-1][0] is table and spans[-1][1] + spans[-1][2] == address and spans[-1][2] < 120:
                    spans[-1] = (table, spans[-1][1], spans[-1][2] + 1)
                else:
                    spans.append((table, address, 1))
        return spans


def board_of(device: DeviceSpec) -> Board:
    """Read the map; raises ProfileBroken."""
    try:
        wish = BoardWish.model_validate(dict(device.options))
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = str(first["msg"]).removeprefix("Value error, ")
        raise ProfileBroken(f"{device.name}: options.{key}: {said}") from failure
    names = [point.name for point in wish.points]
    if len(set(names)) != len(names):
        raise ProfileBroken(f"{device.name}: options.points: two points have the same name")
    try:
        board = Board(wish, tuple(_point(point) for point in wish.points))
    except ValueError as failure:
        raise ProfileBroken(f"{device.name}: options.points: {failure}") from failure
    coils = board.coils
    if any(after.address != before.address + 1 for before, after in pairwise(coils)):
        sentence = "the writable coils have to be neighbours, so that one frame switches them all off"
        raise ProfileBroken(f"{device.name}: options.points: {sentence}")
    return board


def _point(wish: PointWish) -> Point:
    table = next(name for name in _TABLES if getattr(wish, name) is not None)
    is_bit = _TABLES[table] in _BITS
    is_writable = table == "coil" if wish.writable is None else wish.writable
    is_hazardous = is_writable and table == "coil" if wish.hazardous is None else wish.hazardous and is_writable
    low, high = (0.0, 1.0) if is_bit else (wish.low or 0.0, wish.high or 0.0)
    safe = wish.safe if wish.safe is not None or not (is_bit and is_writable) else 0.0
    is_open = not math.isfinite(low) or not math.isfinite(high)
    if is_open or low >= high or (safe is not None and not low <= safe <= high):
        raise ValueError(f"{wish.name}: low, safe and high are not in order")
    tolerance = wish.tolerance if wish.tolerance is not None else 0.0 if is_bit else wish.scale / 2
    channel = Channel(wish.name, wish.unit, low, high, is_writable, is_hazardous, safe, tolerance)
    point = Point(
        channel,
        _TABLES[table],
        getattr(wish, table),
        wish.confirmed_by,
        _FORMATS[wish.type],
        wish.words == "low_first",
        wish.scale,
    )
    if not is_bit and is_writable:
        try:
            for end in (low, high):
                point.raw(end)
        except OverflowError as failure:
            raise ValueError(f"{wish.name}: {low:g} to {high:g} does not fit into {wish.type}") from failure
    return point
