"""Drift inside a run: a monitor for each camera that has a reference, what they left out, and their series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.drift import Calibration, Monitor, Reference, calibrate, divided, feature_figures, usual_window
from hilgui.drift.sample import group_of
from hilgui.errors import CallWrong
from hilgui.numerals import number_of
from hilgui.records import FeatureSample, Role, RunHeader
from hilgui.settings import DriftLimits


class DriftWatch:
    """Owns the monitors of a run by the channel of their camera; the judge thread feeds them, its end reads them.

    The stated rate is that of the whole run: cameras share it. Raises CallWrong where no camera of the drive has a
    reference, or the references know nothing that this run has.
    """

    def __init__(
        self, references: Sequence[Reference], header: RunHeader, limits: DriftLimits, sampled: Collection[Role] = ()
    ) -> None:
        """Calibrate the monitors; `sampled` are the models whose own features are."""
        self.monitors: dict[str, Monitor] = {}
        self.features: dict[str, Monitor] = {}
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
        done: dict[int, tuple[Calibration, Calibration | None]] = {}  # by reference: cameras may share one
        for channel, reference in known.items():
            if id(reference) not in done:
                fitted = reference.fitting(models)
                features = _sampled(fitted.features, sampled)
                why = {
                    "outputs of another model": fitted.names != reference.names
                    or _names(fitted.features) != _names(reference.features),
                    "features, which this run does not sample,": _names(features) != _names(fitted.features),
                }
                if any(why.values()):
                    told = " and ".join(words for words, is_so in why.items() if is_so)
                    self._lacking[channel] = f"{told} are not compared"
                rates = divided(limits.rate / len(known), has_features=features is not None)
                done[id(reference)] = (
                    _calibrated(fitted, rates[0], limits),
                    None if features is None else _calibrated(features, rates[1], limits),
                )
            frames, of_features = done[id(reference)]
            self.monitors[channel] = Monitor(frames)
            if of_features is not None:
                self.features[channel] = Monitor(of_features)

    def add(self, sample: FeatureSample) -> None:
        """Take the features of a frame."""
        monitor = self.features.get(sample.ref.channel)
        if monitor is not None:
            monitor.add(sample.ref.seq, sample.ref.time_s, feature_figures(sample))

    def fresh(self) -> float | None:
        """Give the worst figure of the newest windows, in units of its limit, once another is whole; else None."""
        monitors = [*self.monitors.values(), *self.features.values()]
        total = sum(len(monitor.looks) for monitor in monitors)
        newest = [one for monitor in monitors for look in monitor.looks[-1:] for one in look.measured]
        if total == self._told:
            return None
        self._told = total
        return max((one.ratio for one in newest if one.ratio is not None), default=None)

    def series(self) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
        """Give name, times in s and values in units of their limit of every statistic, each camera by itself."""
        for channel, monitor in (*self.monitors.items(), *self.features.items()):
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
                    f"drift: {number_of(monitor.missing, 'frame')}{of} without a figure of the reference not compared"
                )
            if monitor.waiting:
                left = number_of(monitor.waiting, "frame")
                found.append(f"drift: {left}{of} at the end, less than a window, not judged")
            features = self.features.get(channel)
            if features is not None and features.waiting:
                found.append(
                    f"drift: {number_of(features.waiting, 'sample')} of features{of} at the end, less than a window of "
                    f"{features.calibration.window_frames}, not judged"
                )
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """Give windows, alarms and frames left out, over all cameras and of each; plain values."""
        each = {channel: _counts(monitor) for channel, monitor in self.monitors.items()}
        total = {key: sum(counts[key] for counts in each.values()) for key in ("windows", "alarms", "left_out")}
        features = {channel: _counts(monitor) for channel, monitor in self.features.items()}
        return {
            **total,
            "cameras": {channel: counts for channel, counts in each.items() if channel},
            "features": {key: sum(counts[key] for counts in features.values()) for key in total} if features else None,
        }


def reference_for(channel: str, channels: Sequence[str], references: Sequence[Reference]) -> Reference | None:
    """Choose the reference of a camera: the one that names it; of a drive of one camera, the only one there is."""
    named = next((each for each in references if each.camera == channel), None)
    if named is None and len(channels) == 1 and len(references) == 1:
        return references[0]
    return named


def _sampled(features: Reference | None, sampled: Collection[Role]) -> Reference | None:
    """Keep the features of the models that are sampled; None where there are none."""
    names = [name for name in _names(features) if group_of(name) in sampled]
    return features.only(names) if features is not None and names else None


def _names(features: Reference | None) -> tuple[str, ...]:
    return () if features is None else features.names


def _calibrated(reference: Reference, rate: float, limits: DriftLimits) -> Calibration:
    return calibrate(reference, rate=rate, windows=limits.windows, window=usual_window(reference))


def _counts(monitor: Monitor) -> dict[str, int]:
    alarms = sum(bool(look.alarms) for look in monitor.looks)
    return {"windows": len(monitor.looks), "alarms": alarms, "left_out": monitor.missing + monitor.waiting}
