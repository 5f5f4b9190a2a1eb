"""All devices of a rig together: what the supervisor opens, stops and reads back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from hilgui import plugins
from hilgui.documents import instead
from hilgui.errors import ProfileBroken
from hilgui.rigs.cage import Invariant, Measure
from hilgui.rigs.device import DeviceWorker, Report
from hilgui.rigs.messages import DeviceState
from hilgui.rigs.profile import (
    ChannelLimits,
    CutBy,
    DeviceWish,
    RigProfile,
    profile_broken,
    serial_settings,
    spec_of,
)
from hilgui.rigs.protocol import (
    DRIVERS,
    Actuation,
    Channel,
    DeadManKind,
    Identity,
    Perform,
    RigDriver,
    RigFacts,
    SetValue,
    StopCategory,
)
from hilgui.rigs.transcript import Entry

NOT_YET = "not connected yet"
_NOBODY_WAITS = -1


def driver_for(wish: DeviceWish) -> RigDriver:
    """Find the driver of a device; raises ProfileBroken."""
    drivers = plugins.working(DRIVERS)
    if wish.driver not in drivers:
        broken = plugins.load(DRIVERS).get(wish.driver)
        why = f"does not load ({broken.reason})" if broken else f"does not exist; there are {', '.join(drivers)}"
        raise ProfileBroken(f"{wish.name}: the driver {wish.driver} {why}")
    driver: RigDriver = drivers[wish.driver]()
    return driver


def facts_of(profile: RigProfile) -> dict[str, RigFacts]:
    """Give the facts of every device with the limits of the profile; raises ProfileBroken where they contradict."""
    facts = {}
    for index, wish in enumerate(profile.devices):
        try:
            facts[wish.name] = _limited(wish, driver_for(wish).facts(spec_of(wish)))
        except ProfileBroken as failure:
            raise profile_broken(profile.path, ("devices", index), str(failure)) from failure
    for index, wish in enumerate(profile.devices):
        if wish.cut_by is not None and (why := _cuts_nothing(wish.cut_by, facts[wish.cut_by.device])):
            raise profile_broken(profile.path, ("devices", index, "cut_by"), why)
    for index, invariant in enumerate(profile.invariants):
        if found := _watches_nothing(invariant, facts):
            key, why = found
            raise profile_broken(profile.path, ("invariants", index, key), why)
    return facts


def _cuts_nothing(wish: CutBy, facts: RigFacts) -> str:
    """Say why a relay would not take the power away, "" where it does."""
    channel, name = facts.channel(wish.channel), f"{wish.device}.{wish.channel}"
    if channel is None:
        return f"{wish.device} has no channel {wish.channel}{instead(wish.channel, _names(facts))}"
    if not channel.is_writable:
        return f"{name} is read only and takes no power away"
    if channel.safe != wish.off:
        safe = "no value" if channel.safe is None else f"{channel.safe:g}"
        return f"{name} is {safe} in the safe state, not {wish.off:g}: the power would stay on"
    return ""


def _watches_nothing(invariant: Invariant, facts: Mapping[str, RigFacts]) -> tuple[str, str] | None:
    """Say by which key and why an invariant would never be compared with what it means, None where it is."""
    device, _, name = invariant.signal.partition(".")
    if device not in facts:  # of the supervisor itself, or of the engine
        return None
    channel = facts[device].channel(name)
    if channel is None:
        return "signal", f"{device} has no channel {name or '(none named)'}{instead(name, _names(facts[device]))}"
    units = {
        Measure.RATE: f"{channel.unit or 1}/s",
        Measure.ON_TIME: "s",
        Measure.COUNT: "",
    }
    unit = units.get(invariant.measure, channel.unit)
    if invariant.unit != unit:
        measured = f"{invariant.measure.value} of {invariant.signal}"
        return "unit", f"{measured} is in {unit or 'no unit'}, not in {invariant.unit or 'no unit'}"
    return None


def refusal_of(facts: Mapping[str, RigFacts], what: Actuation) -> str:
    """Say why an actuation is outside what the profile allows, "" where it is inside."""
    if what.device not in facts:
        return f"the rig has no device {what.device}{instead(what.device, facts)}"
    has = facts[what.device]
    match what:
        case SetValue(device, name, value):
            channel = has.channel(name)
            if channel is None or not channel.is_writable:
                known = (each.name for each in has.channels if each.is_writable)
                return f"{device} has no channel {name} to set{instead(name, known)}"
            if not channel.low <= value <= channel.high:  # NaN too
                return (
                    f"{device}.{name}: {value:g} is outside {channel.low:g} to {channel.high:g} {channel.unit}".rstrip()
                )
        case Perform(device, name, arguments):
            action = next((each for each in has.actions if each.name == name), None)
            if action is None:
                return f"{device} has no action {name}{instead(name, (each.name for each in has.actions))}"
            if unknown := sorted(arguments.keys() - set(action.arguments)):
                return f"{device} {name} takes no {unknown[0]}{instead(unknown[0], action.arguments)}"
    return ""


def _names(facts: RigFacts) -> list[str]:
    return [channel.name for channel in facts.channels]


def unarmable(profile: RigProfile, facts: Mapping[str, RigFacts]) -> tuple[str, ...]:
    """Say why hazardous devices may not be armed: what would stop them if this machine fell silent."""
    said = []
    for wish in profile.devices:
        if not facts[wish.name].is_hazardous or facts[wish.name].dead_man.is_enough:
            continue
        cutter = facts.get(wish.cut_by.device) if wish.cut_by else None
        if cutter is not None and cutter.dead_man.kind is DeadManKind.DEVICE and cutter.dead_man.is_enough:
            continue
        said.append(f"{wish.name} has no dead-man of at most 250 ms and no relay that drops by itself (cut_by)")
    return tuple(said)


def _limited(wish: DeviceWish, facts: RigFacts) -> RigFacts:
    channels = []
    for channel in facts.channels:
        limits = wish.channels.get(channel.name)
        channels.append(channel if limits is None else _tighter(wish.name, channel, limits))
    unknown = wish.channels.keys() - {channel.name for channel in facts.channels}
    if unknown:
        raise ProfileBroken(f"{wish.name} has no channel {min(unknown)}{instead(min(unknown), _names(facts))}")
    return replace(facts, channels=tuple(channels))


def _tighter(device: str, channel: Channel, limits: ChannelLimits) -> Channel:
    where = f"{device}.{channel.name}"
    if limits.unit is not None and limits.unit != channel.unit:
        raise ProfileBroken(f"{where} is in {channel.unit or 'no unit'}, not in {limits.unit}")
    low = channel.low if limits.low is None else limits.low
    high = channel.high if limits.high is None else limits.high
    safe = channel.safe if limits.safe is None else limits.safe
    if low < channel.low or high > channel.high or low > high:
        raise ProfileBroken(f"{where}: {low:g} to {high:g} is not within {channel.low:g} to {channel.high:g}")
    if safe is not None and safe != channel.safe:
        raise ProfileBroken(f"{where}: the driver's safe value is {channel.safe}; another one cannot be reached by it")
    return replace(channel, low=low, high=high)


class Bench:
    """Owns the workers. `can_write` false makes a bench in which no writer can exist."""

    def __init__(
        self,
        profile: RigProfile,
        addresses: Mapping[str, str],
        *,
        can_write: bool,
        report: Callable[[Report], None],
        may_actuate: Callable[[], bool],
    ) -> None:
        self.facts = facts_of(profile)
        self.unarmable = unarmable(profile, self.facts)
        self.identities: dict[str, Identity] = {}
        self.troubles = {wish.name: NOT_YET for wish in profile.devices}
        self._workers: dict[str, DeviceWorker] = {}
        self._read_to: dict[str, int] = {}
        for wish in profile.devices:
            driver = driver_for(wish)
            safe = {
                channel.name: channel.safe
                for channel in self.facts[wish.name].channels
                if channel.is_writable and channel.safe is not None
            }
            self._workers[wish.name] = DeviceWorker(
                spec_of(wish),
                addresses[wish.name],
                serial_settings(wish.serial),
                driver,
                driver.writer if can_write else None,
                report,
                may_actuate,
                safe,
            )

    @property
    def devices(self) -> frozenset[str]:
        """Give the names of all devices."""
        return frozenset(self._workers)

    @property
    def blocked(self) -> int:
        """Give how many writes the query links refused."""
        return sum(worker.blocked for worker in self._workers.values())

    def start(self) -> None:
        """Open all ports."""
        for worker in self._workers.values():
            worker.start()

    def urgent_stop(self, category: StopCategory, *, again: bool = True) -> int:
        """Put a stop on every wire, from any thread; gives how many devices took it.

        `again` false leaves out wires that a stop is on already.
        """
        workers = [worker for worker in self._workers.values() if again or not worker.is_stopping]
        return sum(worker.urgent_stop(category) for worker in workers)

    def feed(self, is_fed: bool) -> None:
        """Feed all dead-mans, or let them act."""
        for worker in self._workers.values():
            worker.feed(is_fed)

    def open_writers(self) -> None:
        """Make the writers."""
        for worker in self._workers.values():
            worker.open_writer()

    def close_writers(self) -> None:
        """Give the writers up."""
        for worker in self._workers.values():
            worker.close_writer()

    def make_safe(self, token: int, stop: StopCategory | None = None) -> None:
        """Stop if asked to, go to the safe state, read back."""
        for worker in self._workers.values():
            worker.make_safe(token, stop)

    def make_safe_again(self, device: str) -> None:
        """Put a device into its safe state that came back while the rig is stopping or latched; not waited for."""
        self._workers[device].open_writer()
        self._workers[device].make_safe(_NOBODY_WAITS, StopCategory.RAMP_THEN_CUT)

    def hold(self) -> None:
        """Stop category 2 everywhere."""
        for worker in self._workers.values():
            worker.hold()

    def worker(self, device: str) -> DeviceWorker | None:
        """Find a worker by the device's name."""
        return self._workers.get(device)

    def state_of(self, device: str) -> DeviceState:
        """Give what the front end shows of a device."""
        worker = self._workers[device]
        identity = self.identities.get(device)
        return DeviceState(device, worker.address, self.facts[device], identity, self.troubles[device])

    def fresh_entries(self) -> tuple[Entry, ...]:
        """Give what went over the wires since the last call."""
        fresh: list[Entry] = []
        for name, worker in self._workers.items():
            transport = worker.transport
            if transport is None:
                self._read_to[name] = 0
                continue
            entries = transport.transcript.since(self._read_to.get(name, 0), 200)
            if entries:
                self._read_to[name] = entries[-1].seq + 1
            fresh += entries
        return tuple(sorted(fresh, key=lambda entry: entry.monotonic_ns))

    def close(self, timeout_s: float) -> None:
        """End all workers within a total time."""
        deadline = time.monotonic() + timeout_s
        for worker in self._workers.values():
            worker.close(max(0.0, deadline - time.monotonic()))
