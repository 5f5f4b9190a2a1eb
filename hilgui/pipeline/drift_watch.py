"""Drift inside a run: a monitor for each camera that has a reference, what they left out, and their series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.drift import Calibration, Look, Monitor, Reference, calibrate, usual_window
from hilgui.drift.sample import FEATURE
from hilgui.errors import CallWrong
from hilgui.records import RunHeader
from hilgui.settings import DriftLimits


class DriftWatch:
    """Owns the monitors of a run by the channel of their camera; the judge thread feeds them, its end reads them.

    The stated rate is that of the whole run: cameras share it. Raises CallWrong where no camera of the drive has a
    reference, or the references know nothing that this run has.
    """

    def __init__(self, references: Sequence[Reference], header: RunHeader, limits: DriftLimits) -> None:
        self.monitors: dict[str, Monitor] = {}
        self._unknown: list[str] = []  # cameras without a reference
        self._lacking: dict[str, str] = {}  # why a part of a reference is not compared, by camera
        self._told = 0
        if not references:
            return
        channels = tuple(header.source.rates)
        models = {role.value: facts.sha256 for role, facts in header.models.items()}
        fitting = {channel: reference_for(channel, channels, references) for channel in channels}
        self._unknown = [channel for channel, reference in fitting.items() if reference is None]
        known = {channel: reference for channel, reference in fitting.items() if reference is not None}
        if not known:
            made_of = ", ".join(each.camera or "a drive of one camera" for each in references)
            raise CallWrong(
                f"no drift reference is of a camera of this drive ({', '.join(channels)}): there are those of "
                f"{made_of}; make one of each with `hilgui drift reference RUN --camera NAME`"
            )
        done: dict[int, Calibration] = {}  # by reference: cameras that share one are calibrated once
        for channel, reference in known.items():
            if id(reference) not in done:
                fitted = reference.fitting(models)
                usable = fitted.only(name for name in fitted.names if FEATURE not in name)  # nobody measures them here
                why = {
                    "outputs of another model": fitted.names != reference.names,
                    "features, which a run does not measure,": usable.names != fitted.names,
                }
                if any(why.values()):
                    told = " and ".join(words for words, is_so in why.items() if is_so)
                    self._lacking[channel] = f"{told} are not compared"
                rate, window = limits.rate / len(known), usual_window(usable)
                done[id(reference)] = calibrate(usable, rate=rate, windows=limits.windows, window=window)
            self.monitors[channel] = Monitor(done[id(reference)])

    def fresh(self) -> float | None:
        """Give the worst figure, in units of its limit, of a window that the last frame completed; else None."""
        total = sum(len(monitor.looks) for monitor in self.monitors.values())
        if total == self._told:
            return None
        self._told = total
        newest = max((monitor.looks[-1] for monitor in self.monitors.values() if monitor.looks), key=_end)
        return max((one.ratio for one in newest.measured if one.ratio is not None), default=None)

    def series(self) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
        """Give name, times in s and values in units of their limit of every statistic, each camera by itself."""
        for channel, monitor in self.monitors.items():
            told: dict[tuple[str, str], list[tuple[float, float]]] = {}
            for look in monitor.looks:
                for one in look.measured:
                    if one.ratio is not None:
                        told.setdefault((one.figure, one.statistic), []).append((look.last_s, one.ratio))
            of = f" of {channel}" if channel else ""
            for (figure, statistic), rows in told.items():
                times_s, ratios = np.array(rows, np.float64).T
                yield f"drift {figure} {statistic}{of}", times_s, ratios

    def notes(self) -> tuple[str, ...]:
        """Say for the operator which frames and which cameras were not compared."""
        found = [f"drift: camera {channel} has no reference and is not compared" for channel in self._unknown]
        for channel, monitor in self.monitors.items():
            of = f" of camera {channel}" if channel else ""
            if channel in self._lacking:
                found.append(f"drift: the reference{of}: {self._lacking[channel]}")
            if monitor.missing:
                found.append(
                    f"drift: {monitor.missing} frames{of} lack a figure of the reference and were not compared"
                )
            if monitor.waiting:
                found.append(f"drift: the last {monitor.waiting} frames{of} make no whole window and were not judged")
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """Give windows, alarms and frames left out, over all cameras and of each; plain values."""
        each = {channel: _counts(monitor) for channel, monitor in self.monitors.items()}
        total = {key: sum(counts[key] for counts in each.values()) for key in ("windows", "alarms", "left_out")}
        return {**total, "cameras": {channel: counts for channel, counts in each.items() if channel}}


def reference_for(channel: str, channels: Sequence[str], references: Sequence[Reference]) -> Reference | None:
    """Choose the reference of a camera: the one that names it; of a drive of one camera, the only one there is."""
    named = next((each for each in references if each.camera == channel), None)
    if named is None and len(channels) == 1 and len(references) == 1:
        return references[0]
    return named


def _counts(monitor: Monitor) -> dict[str, int]:
    alarms = sum(bool(look.alarms) for look in monitor.looks)
    return {"windows": len(monitor.looks), "alarms": alarms, "left_out": monitor.missing + monitor.waiting}


def _end(look: Look) -> int:
    return look.last_seq
