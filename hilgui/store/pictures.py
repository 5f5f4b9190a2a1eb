"""Keeps the pictures around findings: a ring of the seconds before, JPEG files for what a finding needs."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.records import Finding, Frame, Severity
from hilgui.settings import ClipSettings
from hilgui.store.kept import KeptPictures

DROPPED = "clip dropped for a worse one"  # Finding.clip_note
SHORTENED = "clip shortened for a worse one"
CUT_OFF = "clip shortened: the disk budget was spent on findings as severe or worse"
NO_ROOM = "no clip: the disk budget was spent on findings as severe or worse"

_LATE_S = 0.5  # a finding may be recognised this much after its first frame and still has its seconds before


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as JPEG, to be written before the findings that refer to it."""

    seq: int
    jpeg: bytes
    raw: bytes | None = None  # PNG of the samples as the sensor gave them, where the picture is a reduction of them


@dataclass(frozen=True, slots=True)
class Clip:
    """What is kept of the clip of one finding."""

    number: int  # of the finding
    first: int | None  # sequence number; None: nothing of it
    last: int | None
    note: str  # Finding.clip_note


@dataclass(frozen=True, slots=True)
class Evicted:
    """Pictures that made room for worse ones, to be removed once the findings that lost them are stored."""

    pictures: tuple[int, ...] = ()  # sequence numbers
    clips: tuple[Clip, ...] = ()  # of findings told before, as they are now


NOTHING_EVICTED = Evicted()


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding that may still lose its clip, with the clip as it was told: 345 bytes instead of its 1,200."""

    first_s: float
    last_s: float
    worst_seq: int
    worst_s: float
    clip: Clip


class ClipKeeper:
    """Owned by the judge thread. Overlapping clips share their pictures; the budget bounds the disk.

    A picture is as severe as the worst finding that wants it. Once the budget is spent, the oldest picture of the least
    severity below that of the new one makes room; of equals the first stays. What lies in the ring stays, as the next
    hit may want it. Frames that were lost leave holes in a clip; the frames it has are those of the pictures folder.
    """

    def __init__(self, settings: ClipSettings) -> None:
        self._settings = settings
        self._ring: deque[Frame] = deque()
        self._ring_bytes = 0
        self._left = settings.budget_mb * 1_000_000  # bytes
        self._least_cost = 0  # of a picture so far: what does not fit is not encoded
        self._keep_until_s = dict.fromkeys(Severity, -math.inf)
        self._kept = KeptPictures()
        self._waiting: list[Finding] = []
        self._told: dict[Severity, list[_Told]] = {each: [] for each in Severity}  # with a clip, by its first frame
        self._gone_times = array("d")  # of all that were evicted, rising
        self._refused_times = array("d")  # of all that found no room when they were wanted, rising, each once
        self._removed: list[int] = []  # sequence numbers of those nobody asked for yet

    def push(self, frame: Frame) -> list[Picture]:
        """Take the next frame; give the picture to write when a finding just before wants it."""
        self._ring.append(frame)
        self._ring_bytes += _bytes_of(frame)
        oldest_s = frame.ref.time_s - self._settings.before_s - _LATE_S
        limit = self._settings.ring_mb * 1_000_000
        while self._ring[0].ref.time_s < oldest_s or (self._ring_bytes > limit and len(self._ring) > 1):
            self._ring_bytes -= _bytes_of(self._ring.popleft())
        wanted = [severity for severity, until_s in self._keep_until_s.items() if frame.ref.time_s <= until_s]
        return self._keep([frame], max(wanted)) if wanted else []

    def image(self, seq: int) -> NDArray[np.uint8] | None:
        """Give the pixels of a frame of the last moments, None where they are gone."""
        return next((frame.image for frame in reversed(self._ring) if frame.ref.seq == seq), None)

    def time_of(self, seq: int) -> float:
        """Give the recording time of a frame of the last moments; of the oldest known where it is older."""
        return next((frame.ref.time_s for frame in self._ring if frame.ref.seq >= seq), math.inf)

    def keep_around(self, time_s: float, severity: Severity) -> list[Picture]:
        """Mark a hit at the newest frames; give the pictures from before it that are not kept yet."""
        first_s, last_s = time_s - self._settings.before_s, time_s + self._settings.after_s
        self._keep_until_s[severity] = max(self._keep_until_s[severity], last_s)
        self._kept.raise_to(severity, first_s, last_s)
        wanted = [frame for frame in self._ring if frame.ref.time_s >= first_s]
        there = set(self._kept.within(first_s, max((frame.ref.time_s for frame in wanted), default=first_s)))
        return self._keep([frame for frame in wanted if frame.ref.seq not in there], severity)

    def wait_for_end(self, findings: list[Finding]) -> None:
        """Hold findings back until the seconds after them have played; their pictures are as severe as they are."""
        self._waiting.extend(findings)
        for finding in findings:
            last_s = finding.last_s + self._settings.after_s
            if not math.isnan(last_s):
                self._keep_until_s[finding.severity] = max(self._keep_until_s[finding.severity], last_s)
                self._kept.raise_to(finding.severity, finding.first_s - self._settings.before_s, last_s)

    def ripe(self, now_s: float = math.inf) -> list[Finding]:
        """Give the findings whose clip is complete at recording time `now_s`, with the range of the clip."""
        early: list[Finding] = []
        ready: list[Finding] = []
        for finding in self._waiting:  # one without a time (NaN) has nothing to wait for
            is_early = finding.last_s + self._settings.after_s > now_s
            (early if is_early else ready).append(finding)
        self._waiting = early
        return [self._tell(finding) for finding in ready]

    def evicted(self) -> Evicted:
        """Give what had to go since this was asked last, and the findings told before whose clip it was."""
        removed, self._removed = self._removed, []
        if not removed:
            return NOTHING_EVICTED
        changed: list[Clip] = []
        first, last = min(removed), max(removed)
        for told in self._told.values():
            place = 0
            while place < len(told) and _first_of(told[place]) <= last:
                one = told[place]
                if (one.clip.last or 0) < first or (clip := self._clip_of(one.clip.number, one)) == one.clip:
                    place += 1
                    continue
                changed.append(clip)
                del told[place]
                if clip.first is not None:
                    insort(told, replace(one, clip=clip), key=_first_of)
        return Evicted(tuple(removed), tuple(changed))

    def _tell(self, finding: Finding) -> Finding:
        """Give a finding its clip; one that may lose it again is remembered."""
        if math.isnan(finding.first_s):
            return finding
        clip = self._clip_of(finding.number, finding)
        if clip.first is not None and finding.severity < Severity.HIGH:  # a HIGH one loses nothing
            told = _Told(finding.first_s, finding.last_s, finding.worst_seq, finding.worst_s, clip)
            insort(self._told[finding.severity], told, key=_first_of)
        return replace(finding, clip_first=clip.first, clip_last=clip.last, clip_note=clip.note)

    def _clip_of(self, number: int, finding: Finding | _Told) -> Clip:
        first_s, last_s = finding.first_s - self._settings.before_s, finding.last_s + self._settings.after_s
        numbers = self._kept.within(first_s, last_s)
        if finding.worst_seq not in numbers:  # what is there belongs to other findings
            return Clip(number, None, None, DROPPED if self._has_lost(finding.worst_s, finding.worst_s) else NO_ROOM)
        note = SHORTENED if self._has_lost(first_s, last_s) else CUT_OFF if self._lacks_room(first_s, last_s) else ""
        return Clip(number, numbers[0], numbers[-1], note)

    def _has_lost(self, first_s: float, last_s: float) -> bool:
        """Say whether a picture of that time was evicted."""
        place = bisect_left(self._gone_times, first_s)
        return place < len(self._gone_times) and self._gone_times[place] <= last_s

    def _lacks_room(self, first_s: float, last_s: float) -> bool:
        """Say whether a picture of that time found no room, then and later."""
        refused = self._refused_times
        span = refused[bisect_left(refused, first_s) : bisect_right(refused, last_s)]
        return not all(map(self._kept.has, span))

    def _refuse(self, frames: list[Frame]) -> None:
        for frame in frames:
            place = bisect_left(self._refused_times, frame.ref.time_s)
            if self._refused_times[place : place + 1] != array("d", [frame.ref.time_s]):
                self._refused_times.insert(place, frame.ref.time_s)

    def _keep(self, frames: list[Frame], severity: Severity) -> list[Picture]:
        pictures = []
        for nth, frame in enumerate(frames):
            if not self._make_room(self._least_cost, severity):
                self._refuse(frames[nth:])
                break
            jpeg = encode_jpeg(frame.image, self._settings.jpeg_quality)
            raw = None if frame.raw is None else encode_png(frame.raw)
            cost = len(jpeg) + len(raw or b"")
            self._least_cost = min(self._least_cost or cost, cost)
            if not self._make_room(cost, severity):
                self._refuse(frames[nth:])
                break
            self._left -= cost
            self._kept.add(frame.ref, severity, cost)
            pictures.append(Picture(frame.ref.seq, jpeg, raw))
        return pictures

    def _make_room(self, cost: int, severity: Severity) -> bool:
        """Evict what is less severe until so many bytes are free; nothing where that is not enough."""
        chosen: list[int] = []
        free, in_ring = self._left, self._ring[0].ref.seq
        lesser = chain.from_iterable(self._kept.oldest(each, in_ring) for each in Severity if each < severity)
        while free < cost and (found := next(lesser, None)) is not None:
            chosen.append(found[0])
            free += found[1]
        if free < cost:
            return False
        for place in sorted(chosen, reverse=True):  # from the back, so that the other places stay what they are
            seq, time_s, freed = self._kept.remove(place)
            self._left += freed
            insort(self._gone_times, time_s)
            self._removed.append(seq)
        return True


def _first_of(told: _Told) -> int:
    return told.clip.first or 0


def encode_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """Encode a BGR picture."""
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes()


def encode_png(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode samples of 8 or 16 bits without loss."""
    _, png = cv2.imencode(".png", samples, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return png.tobytes()


def _bytes_of(frame: Frame) -> int:
    return frame.image.nbytes + (0 if frame.raw is None else frame.raw.nbytes)
