"""Signals of the vehicle bus beside the picture: BLF, ASC and MF4 logs, decoded with a DBC."""

from __future__ import annotations

import contextlib
import logging
import math
import traceback
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.sources.bag import DAMAGE

SUFFIXES = frozenset({".blf", ".asc", ".mf4"})

_MAX_FRAMES = 50_000_000
_LONGEST_REASON = 160  # characters of what the parser of a DBC says
_MAX_DBC_BYTES = 64 * 2**20
_BLF_MAGIC, _MF4_MAGIC = b"LOGG", b"MDF     "


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One named value over time, in the unit of the DBC."""

    name: str  # "SPEED.SPEED": message, then signal
    unit: str
    times: NDArray[np.float64]  # (N,) seconds on the recording's clock, ascending
    values: NDArray[np.float64]  # (N,)
    choices: dict[int, str]  # names of values, empty for plain numbers

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the last value at or before each time; NaN before the first."""
        places = np.searchsorted(self.times, times, side="right") - 1
        return np.where(places < 0, math.nan, self.values[np.maximum(places, 0)])


@dataclass(frozen=True, slots=True, eq=False)
class BusLog:
    """Everything a log and its DBC give."""

    path: Path
    signals: dict[str, Signal]
    frames: int  # frames in the log, error frames left out
    decoded: int  # of them known to the DBC and long enough
    start_s: float  # stamp of the first frame: seconds since 1970, or since the logger's start
    notes: tuple[str, ...] = ()


def read_bus(
    log: Path,
    dbc: Path,
    *,
    names: Collection[str] = (),
    channels: Collection[int] = (),
    zero_s: float | None = None,
    offset_s: float = 0.0,
) -> BusLog:
    """Read the signals of a log; raises SourceBroken.

    `names` are signals ("SPEED") or message and signal ("SPEED.SPEED"); empty: all. `channels` limits the buses.
    `zero_s` is the stamp (of the log's clock) that the recording calls 0, usually that of its first frame; None: the
    log's first frame. `offset_s` is added to every time.
    """
    messages = _messages(dbc, names)
    times: dict[int, list[float]] = {number: [] for number in messages}
    data: dict[int, list[bytes]] = {number: [] for number in messages}
    frames, start_s = 0, math.nan
    for message in _frames(log):
        if message.is_error_frame:
            continue
        frames += 1
        if frames > _MAX_FRAMES:
            raise SourceBroken(f"the log {log} has more than {_MAX_FRAMES:,} frames; cut it into pieces", path=log)
        if math.isnan(start_s):
            start_s = float(message.timestamp)
        number = _key(message.arbitration_id, message.is_extended_id)
        if number in messages and not message.is_remote_frame and (not channels or message.channel in channels):
            times[number].append(message.timestamp)
            data[number].append(bytes(message.data))
    if not frames:
        raise SourceBroken(f"the log {log} holds no frames; is it complete?", path=log)
    zero = start_s if zero_s is None else zero_s
    signals: dict[str, Signal] = {}
    decoded = 0
    for number, message in messages.items():
        found, count = _decode(message, np.array(times[number]) - zero + offset_s, data[number], names)
        signals |= found
        decoded += count
    missing = [name for name in names if not any(name in (key, key.partition(".")[2]) for key in signals)]
    notes = (f"not in the log: {', '.join(sorted(missing))}",) if missing else ()
    return BusLog(log, dict(sorted(signals.items())), frames, decoded, start_s, notes)


def _key(identifier: int, is_extended: bool) -> int:
    return identifier | (1 << 31 if is_extended else 0)


def _messages(dbc: Path, names: Collection[str]) -> dict[int, Any]:
    import cantools
    from cantools.database import UnsupportedDatabaseFormatError  # type: ignore[attr-defined]  # not in __all__
    from cantools.database.errors import Error as DbcError

    try:
        if dbc.stat().st_size > _MAX_DBC_BYTES:
            raise SourceBroken(f"the DBC {dbc} is far too large; is it the right file?", path=dbc)
        content = dbc.read_bytes()
        if b"\0" in content:
            raise SourceBroken(f"{dbc} is no DBC: it is not a text; is it the right file?", path=dbc)
        text = content.decode("cp1252", "replace")
        base: Any = cantools.database.load_string(text, database_format="dbc", strict=False)
    except (*DAMAGE, DbcError, UnsupportedDatabaseFormatError) as failure:
        said = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        reason = "".join(letter for letter in said if letter.isprintable())[:_LONGEST_REASON]
        raise SourceBroken(f"the DBC {dbc} cannot be read: {reason}; is it the right file?", path=dbc) from failure
    wanted = {}
    for message in base.messages:
        known = {signal.name for signal in message.signals}
        if not names or any(name in known or name in {f"{message.name}.{each}" for each in known} for name in names):
            wanted[_key(message.frame_id, message.is_extended_frame)] = message
    if not wanted:
        raise SourceBroken(f"the DBC {dbc} knows none of the signals {', '.join(names)}; check their names", path=dbc)
    return wanted


def _frames(log: Path) -> Iterator[Any]:
    """Give the frames of a log, whatever its format; raises SourceBroken."""
    import can
    from can.io.blf import BLFParseError

    try:
        with contextlib.ExitStack() as opened:
            file = opened.enter_context(log.open("rb"))
            head = file.read(8)
            file.seek(0)
            reader: Any
            if head.startswith(_BLF_MAGIC):
                reader = can.BLFReader(file)
            elif head == _MF4_MAGIC:
                reader = opened.enter_context(_mf4_reader(log, file))
            elif head and b"\0" not in head and log.suffix.lower() == ".asc":
                text = opened.enter_context(log.open("r", encoding="utf-8", errors="replace"))
                reader = can.ASCReader(text, relative_timestamp=False)
            else:
                raise SourceBroken(f"{log} is no log that is known (BLF, ASC, MF4); is it the right file?", path=log)
            yield from reader
    except FileNotFoundError as failure:
        raise SourceBroken(f"there is no log {log}; check the path", path=log) from failure
    except IsADirectoryError as failure:
        raise SourceBroken(f"{log} is a folder; name one log, and --can again for more", path=log) from failure
    except (*DAMAGE, can.CanError, BLFParseError) as failure:
        reason = str(failure) or type(failure).__name__
        raise SourceBroken(f"the log {log} cannot be read: {reason}; copy it again", path=log) from failure


@contextlib.contextmanager
def _mf4_reader(log: Path, file: BinaryIO) -> Iterator[Any]:
    """Open a bus log in MF4 from an open file; raises SourceBroken, as a file of many offsets may break anywhere."""
    try:
        import asammdf  # noqa: F401 - python-can needs it
    except ImportError as failure:
        raise SourceBroken(
            f"{log} is an MF4 log, which needs one more package: pip install asammdf", path=log
        ) from failure
    import can

    try:
        with _complaints() as told:
            reader = can.MF4Reader(file)
            try:
                yield reader
            finally:
                reader.stop()
            if told:
                raise ValueError(told[0])
    except SourceBroken:
        raise
    except Exception as failure:  # asammdf follows offsets of the file and raises whatever it meets there
        _abandon(failure)
        reason = (str(failure) or type(failure).__name__).splitlines()[0]
        raise SourceBroken(f"the log {log} cannot be read: {reason}; copy it again", path=log) from None


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what asammdf finds wrong: it would log a traceback to the terminal, and sometimes go on."""
    logger, told = logging.getLogger("asammdf"), _Told()
    handlers, propagates = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [told], False
    try:
        yield told.sentences
    finally:
        logger.handlers, logger.propagate = handlers, propagates


class _Told(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage().strip().splitlines()[-1])


def _abandon(failure: BaseException) -> None:
    """Mark asammdf's half-made objects as closed: their `__del__` fails on what the constructor did not reach."""
    from asammdf.blocks.mdf_v4 import MDF4

    seen: BaseException | None = failure
    while seen is not None:
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            half_made = frame.f_locals.get("self")
            if isinstance(half_made, MDF4):
                if (scratch := getattr(half_made, "_tempfile", None)) is not None:
                    scratch.close()
                half_made._closed = True  # noqa: SLF001
        seen = seen.__context__


def _decode(
    message: Any, times: NDArray[np.float64], data: list[bytes], names: Collection[str]
) -> tuple[dict[str, Signal], int]:
    wanted = {
        signal.name: signal
        for signal in message.signals
        if not names or signal.name in names or f"{message.name}.{signal.name}" in names
    }
    kept: dict[str, list[tuple[float, float]]] = {name: [] for name in wanted}
    count = 0
    for time_s, payload in zip(times.tolist(), data, strict=True):
        try:
            decoded = message.decode(payload, decode_choices=False, allow_truncated=True)
        except DAMAGE:
            continue
        count += 1
        for name in wanted:
            value = decoded.get(name)
            if isinstance(value, int | float):
                kept[name].append((time_s, float(value)))
    found = {}
    for name, signal in wanted.items():
        if not kept[name]:
            continue
        rows = np.array(kept[name])
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        choices = {int(value): str(word) for value, word in (signal.choices or {}).items()}
        full = f"{message.name}.{name}"
        found[full] = Signal(full, signal.unit or "", rows[:, 0].copy(), rows[:, 1].copy(), choices)
    return found, count
