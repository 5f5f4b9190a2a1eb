"""The vehicle's bus beside a recording: chosen signals on the clock of the frames, and the speed among them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from hilgui.errors import CallWrong, SourceBroken
from hilgui.sources.signals import BusLog, Signal, read_bus

_WALL_CLOCK_S = 1e8  # stamps beyond count from 1970
_PLAUSIBLE_S = 24 * 3600.0  # wall clocks further apart do not belong to one drive
_TO_MPS = {"km/h": 1 / 3.6, "kph": 1 / 3.6, "kmh": 1 / 3.6, "mph": 0.44704, "m/s": 1.0, "mps": 1.0}
_SPEED_NAMES = ("vehiclespeed", "vehicle_speed", "vehspd", "veh_spd", "v_ego", "speed")
_LISTED = 12
_OLD_S = 1.0  # a speed older than this says nothing about a frame


@dataclass(frozen=True, slots=True, eq=False)
class VehicleSignals:
    """Signals on the run's clock (seconds since its first frame)."""

    signals: dict[str, Signal]
    speed: str | None  # name of the vehicle's speed among them, in m/s
    notes: tuple[str, ...]

    def speed_mps(self, time_s: float) -> float | None:
        """Give the speed at a time, between its neighbours; None outside the log and in its holes."""
        if self.speed is None or not math.isfinite(time_s):
            return None
        signal = self.signals[self.speed]
        place = int(np.searchsorted(signal.times, time_s))
        near = signal.times[max(place - 1, 0) : place + 1]
        if np.abs(near - time_s).max() > _OLD_S:
            return None
        return float(np.interp(time_s, signal.times, signal.values))


def read_vehicle(
    logs: Sequence[Path],
    dbcs: Sequence[Path],
    *,
    wanted: Collection[str] = (),
    start: datetime,
    offset_s: float | None = None,
) -> VehicleSignals:
    """Read logs, each with every DBC, onto the clock of a recording that calls the time `start` 0.

    `offset_s` is the recording time of a log's first frame; None: by the wall clocks where both have one and they
    lie within a day, else 0. Kept are the speed and the `wanted` ("SPEED" or "MESSAGE.SPEED"); without either all.
    Raises SourceBroken, and CallWrong where one of both is missing or no log holds a signal of `wanted`.
    """
    if not logs or not dbcs:
        raise CallWrong("a bus log needs a DBC that decodes it, and a DBC a log; give both: --can LOG --dbc FILE")
    signals: dict[str, Signal] = {}
    notes: list[str] = []
    for log in logs:
        read = [read_bus(log, dbc) for dbc in dbcs]
        moved, sentence = _offset(read[0], start, offset_s)
        notes.append(sentence)
        for name, signal in (pair for each in read for pair in each.signals.items()):
            signals.setdefault(name, replace(signal, times=signal.times + moved))
    if missing := [name for name in wanted if not any(_is(signal, name) for signal in signals)]:
        raise CallWrong(f"the bus logs hold no signal {', '.join(missing)}; {_instead(missing, signals)}")
    speed = _speed_of(signals)
    kept = {name: signal for name, signal in signals.items() if any(_is(name, each) for each in wanted)}
    if speed is not None:
        kept[speed] = replace(
            signals[speed], unit="m/s", values=signals[speed].values * _TO_MPS[_unit(signals[speed])], choices={}
        )
    if not signals:
        raise SourceBroken(f"the DBC knows nothing of what {logs[0]} holds; is it that of this vehicle?", path=logs[0])
    notes.append(f"the speed of the vehicle is {speed}" if speed else "no signal of the bus is known as vehicle speed")
    return VehicleSignals(dict(sorted((kept or signals).items())), speed, tuple(notes))


def _offset(bus: BusLog, start: datetime, given_s: float | None) -> tuple[float, str]:
    name = bus.path.name
    if given_s is not None:
        return given_s, f"{name} begins at {given_s:+.3f} s of the recording, as was said"
    apart = bus.start_s - start.timestamp()
    if bus.start_s > _WALL_CLOCK_S and abs(apart) < _PLAUSIBLE_S:
        return apart, f"{name} begins at {apart:+.3f} s of the recording, by the wall clocks of both"
    return 0.0, f"{name} is taken to begin with the first frame: the clocks do not tell (--can-offset moves it)"


def _instead(missing: Collection[str], signals: Collection[str]) -> str:
    """Say which signals could be meant, else which there are."""
    names = {each.casefold(): each for name in signals for each in (name, name.partition(".")[2])}
    near = [names[like] for name in missing for like in difflib.get_close_matches(name.casefold(), names, n=2)]
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(near))}?"
    more = f" and {len(signals) - _LISTED} more" if len(signals) > _LISTED else ""
    return f"they have {', '.join(sorted(signals)[:_LISTED]) or 'none that the DBC knows'}{more}"


def _is(name: str, asked: str) -> bool:
    return asked in (name, name.partition(".")[2])


def _speed_of(signals: dict[str, Signal]) -> str | None:
    """Find the speed of the vehicle: a usual name with a unit of speed."""
    return next(
        (
            name
            for usual in _SPEED_NAMES
            for name, signal in signals.items()
            if name.rpartition(".")[2].lower() == usual and _unit(signal) in _TO_MPS
        ),
        None,
    )


def _unit(signal: Signal) -> str:
    return signal.unit.strip().lower().replace(" ", "")
