"""What devices say when they are only asked: identity and readings, through a link that lets nothing else through."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hilgui import plugins
from hilgui.errors import HilguiError
from hilgui.numerals import number_of
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.protocol import DRIVERS, SIMULATORS, Channel, DeviceSpec, RigDriver, RigSimulator
from hilgui.rigs.transport import QueryLink, Transport

_SHARE = 0.05  # of a channel's range: readings of one bench differ by less from day to day


@dataclass(frozen=True, slots=True)
class Readout:
    """One device; a channel that is no number reads None."""

    device: str
    identity: str
    readings: dict[str, float | None]
    noise: dict[str, float]  # how far a reading may be from the reference, in the channel's unit
    trouble: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Readout:
        """Read what `as_json` gave; raises AttributeError, KeyError, TypeError or ValueError on anything else."""
        readings = {str(name): None if value is None else _finite(value) for name, value in plain["readings"].items()}
        noise = {str(name): _finite(value) for name, value in plain["noise"].items()}
        return cls(str(plain["device"]), str(plain["identity"]), readings, noise, str(plain["trouble"]))


def differences(expected: Readout, found: Readout) -> tuple[str, ...]:
    """Say how a device differs from the reference: what it is and has first, then its readings; empty when the same."""
    if found.trouble:
        return (found.trouble,)
    said = []
    if expected.identity != found.identity:
        said.append(f"it is {found.identity or 'nothing'} instead of {expected.identity}")
    if expected.readings.keys() != found.readings.keys():
        said.append(f"{number_of(len(found.readings), 'channel')} instead of {len(expected.readings)}")
    if said:
        return tuple(said)
    for name, was in expected.readings.items():
        now, noise = found.readings[name], expected.noise.get(name, 0.0)
        if (was is None) is not (now is None) or (was is not None and now is not None and abs(now - was) > noise):
            said.append(f"{name} reads {_shown(now)} instead of {_shown(was)} ± {noise:g}")
    return tuple(said)


def simulated_readouts() -> list[Readout]:
    """Ask the simulators of all installed drivers; a driver that fails is a trouble, not an error."""
    drivers = plugins.working(DRIVERS)
    return [
        _simulated(drivers[name](), simulator, DeviceSpec(f"{name}:{spec.name}", name, spec.options))
        for name, simulator in sorted(plugins.working(SIMULATORS).items())
        for spec in simulator.examples
    ]


def rig_readouts(profile: Path, home: Path) -> list[Readout]:
    """Ask the devices of a rig, in shadow: no byte that could move anything. Raises ProfileBroken, RigLost."""
    client = SupervisorClient(profile, home, shadow=True)
    found = []
    try:
        client.start()
        client.wait_ready()
        for device in client.devices.values():
            if device.trouble or device.facts is None:
                found.append(Readout(device.name, "", {}, {}, device.trouble or "it has no facts"))
                continue
            readings: dict[str, float | None] = {}
            for channel in device.facts.channels:
                done = client.answer(client.read(device.name, channel.name))
                readings[channel.name] = _number(done.reading.value if done.reading else math.nan)
            found.append(Readout(device.name, str(device.identity), readings, _noises(device.facts.channels)))
    finally:
        client.close()
    return found


def _simulated(driver: RigDriver, simulator: type[RigSimulator], spec: DeviceSpec) -> Readout:
    board = simulator(spec)
    try:
        transport = Transport(board.start())
        try:
            reader = driver.reader(spec, QueryLink(transport, lambda sent: driver.is_query(spec, sent)))
            identity = str(reader.identify())
            channels = driver.facts(spec).channels
            readings = {channel.name: _number(reader.read(channel.name).value) for channel in channels}
            return Readout(spec.name, identity, readings, _noises(channels))
        finally:
            transport.close()
    except HilguiError as failure:
        return Readout(spec.name, "", {}, {}, str(failure))
    finally:
        board.close()


def _noises(channels: tuple[Channel, ...]) -> dict[str, float]:
    ranges = {channel.name: channel.high - channel.low for channel in channels}
    return {
        channel.name: max(
            channel.tolerance, _SHARE * ranges[channel.name] if math.isfinite(ranges[channel.name]) else 0
        )
        for channel in channels
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no reading: nothing can differ from it")
    return number


def _shown(value: float | None) -> str:
    return "no number" if value is None else f"{value:g}"
