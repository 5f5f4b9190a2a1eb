"""Keeps the pictures around findings: a ring of the seconds before, JPEG files for what a finding needs."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.records import Finding, Frame
from hilgui.settings import ClipSettings

_LATE_S = 0.5  # a finding may be recognised this much after its first frame and still has its seconds before


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as JPEG, to be written before the findings that refer to it."""

    seq: int
    jpeg: bytes
    raw: bytes | None = None  # PNG of the samples as the sensor gave them, where the picture is a reduction of them


class ClipKeeper:
    """Owned by the judge thread. Overlapping clips share their pictures; the budget bounds the disk.

    Frames that were lost leave holes in a clip; the frames it has are those of the pictures folder.
    """

    def __init__(self, settings: ClipSettings) -> None:
        self._settings = settings
        self._ring: deque[Frame] = deque()
        self._ring_bytes = 0
        self._budget = settings.budget_mb * 1_000_000
        self._keep_until_s = -math.inf
        self._kept_times = array("d")  # recording times of the frames that are kept, rising, and beside them
        self._kept_seqs = array("q")  # their sequence numbers
        self._waiting: list[Finding] = []

    def push(self, frame: Frame) -> list[Picture]:
        """Take the next frame; give the picture to write when a finding just before wants it."""
        self._ring.append(frame)
        self._ring_bytes += _bytes_of(frame)
        oldest_s = frame.ref.time_s - self._settings.before_s - _LATE_S
        limit = self._settings.ring_mb * 1_000_000
        while self._ring[0].ref.time_s < oldest_s or (self._ring_bytes > limit and len(self._ring) > 1):
            self._ring_bytes -= _bytes_of(self._ring.popleft())
        return self._encode([frame]) if frame.ref.time_s <= self._keep_until_s else []

    def image(self, seq: int) -> NDArray[np.uint8] | None:
        """Give the pixels of a frame of the last moments, None where they are gone."""
        return next((frame.image for frame in reversed(self._ring) if frame.ref.seq == seq), None)

    def time_of(self, seq: int) -> float:
        """Give the recording time of a frame of the last moments; of the oldest known where it is older."""
        return next((frame.ref.time_s for frame in self._ring if frame.ref.seq >= seq), math.inf)

    def keep_around(self, time_s: float) -> list[Picture]:
        """Mark a hit at the newest frames; give the pictures from before it that are not kept yet."""
        first_s = time_s - self._settings.before_s
        self._keep_until_s = max(self._keep_until_s, time_s + self._settings.after_s)
        kept = set(self._kept_seqs[-len(self._ring) :])
        wanted = [frame for frame in self._ring if frame.ref.time_s >= first_s and frame.ref.seq not in kept]
        return self._encode(wanted)

    def wait_for_end(self, findings: list[Finding]) -> None:
        """Hold findings back until the seconds after them have played."""
        self._waiting.extend(findings)

    def ripe(self, now_s: float = math.inf) -> list[Finding]:
        """Give the findings whose clip is complete at recording time `now_s`, with the range of the clip."""
        early: list[Finding] = []
        ready: list[Finding] = []
        for finding in self._waiting:  # one without a time (NaN) has nothing to wait for
            is_early = finding.last_s + self._settings.after_s > now_s
            (early if is_early else ready).append(finding)
        self._waiting = early
        return [self._with_clip(finding) for finding in ready]

    def _with_clip(self, finding: Finding) -> Finding:
        first_s, last_s = finding.first_s - self._settings.before_s, finding.last_s + self._settings.after_s
        if math.isnan(first_s):
            return finding
        numbers = self._kept_seqs[bisect_left(self._kept_times, first_s) : bisect_right(self._kept_times, last_s)]
        if finding.worst_seq not in numbers:  # the budget was spent; what is there belongs to other findings
            return finding
        return replace(finding, clip_first=numbers[0], clip_last=numbers[-1])

    def _encode(self, frames: list[Frame]) -> list[Picture]:
        pictures = []
        for frame in frames:
            jpeg = encode_jpeg(frame.image, self._settings.jpeg_quality)
            raw = None if frame.raw is None else encode_png(frame.raw)
            cost = len(jpeg) + len(raw or b"")
            if cost > self._budget:
                break
            self._budget -= cost
            place = bisect_right(self._kept_times, frame.ref.time_s)
            self._kept_times.insert(place, frame.ref.time_s)
            self._kept_seqs.insert(place, frame.ref.seq)
            pictures.append(Picture(frame.ref.seq, jpeg, raw))
        return pictures


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
