"""Records what a camera saw, so that it replays as a drive with the same pixels, also after a crash."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.container
from av.video.stream import VideoStream

from hilgui.errors import StoreBroken
from hilgui.numerals import number_of
from hilgui.records import Frame, SourceFacts

log = logging.getLogger(__name__)

NAME = "recording.mov"
INDEX = "recording.jsonl"

_TICKS = 90_000  # of the file's clock, per second
_FORMAT = "hilgui/recording.v1"
_LONGEST_LINE = 4096


class Recorder:
    """Owned by one thread, once entered. Lossless: MagicYUV, every frame a key frame and a fragment of its own.

    The muxer holds one frame back, to know how long it lasts. A frame is written whole, then its line in the index,
    which says where it ends: `mend` cuts off what a killed process left behind it. Full,
    the recording ends and the run goes on.
    """

    def __init__(self, folder: Path, facts: SourceFacts, budget_mb: int) -> None:
        """Open nothing yet."""
        self.path = folder / NAME
        self.missed = 0  # frames that came faster than they could be written; counted by the capture thread
        self._facts = facts
        self._budget = budget_mb * 1_000_000
        self._written = 0
        self._is_full = False
        self._last_tick = -1
        self._held: dict[str, Any] = {}  # line of the frame that the muxer has not given yet
        self._sink: _Sink | None = None
        self._container: av.container.OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._index: io.TextIOWrapper | None = None

    def __enter__(self) -> Recorder:
        """Make the files; raises StoreBroken."""
        with _translated(self.path):
            self._sink = _Sink(self.path)
            self._index = self.path.with_name(INDEX).open("w", encoding="utf-8", buffering=1)
            self._container = av.open(
                self._sink,
                "w",
                format="mov",
                options={
                    "movflags": "empty_moov+default_base_moof+frag_every_frame+skip_trailer",
                    "flush_packets": "1",
                },
            )
            stream = self._container.add_stream(
                "magicyuv", rate=Fraction(self._facts.fps or 30).limit_denominator(1001)
            )
            stream.width, stream.height, stream.pix_fmt = self._facts.width, self._facts.height, "gbrp"
            stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)  # else stamps snap to the rate
            stream.options = {"pred": "left"}
            stream.thread_count = 1
            self._stream = stream
        self._say({"format": _FORMAT, "source": self._facts.path, "fps": self._facts.fps})
        return self

    def write(self, frame: Frame) -> None:
        """Write one frame; raises StoreBroken."""
        if self._is_full:
            return
        assert self._container is not None and self._stream is not None and self._sink is not None
        ref = frame.ref
        self._last_tick = max(round(ref.time_s * _TICKS), self._last_tick + 1)
        picture = av.VideoFrame.from_ndarray(frame.image, format="bgr24").reformat(format="gbrp")
        picture.pts, picture.time_base = self._last_tick, Fraction(1, _TICKS)
        with _translated(self.path):
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
            self._sink.settle()
        self._acknowledge()
        self._held = {
            "frame": self._written,
            "seq": ref.seq,
            "time_s": ref.time_s,
            "stamp": ref.stamp.isoformat(),
            "captured_ns": ref.captured_ns,
        }
        self._written += 1
        if self._sink.size > self._budget:
            self._is_full = True
            log.warning("the recording %s is full after %d frames", self.path, self._written)

    def account(self) -> tuple[str, ...]:
        """Say in sentences what the recording holds and lacks."""
        size = 0.0 if self._sink is None else self._sink.size / 1e6
        said = [f"recorded {number_of(self._written, 'frame')} to {self.path.name}, {size:.0f} MB"]
        if self._is_full:
            said.append(
                f"the recording was full after {number_of(self._written, 'frame')}; allow it more than {size:.0f} MB"
            )
        if self.missed:
            said.append(
                f"the recording lacks {number_of(self.missed, 'frame')}, which came faster than they could be written"
            )
        return tuple(said)

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        with _translated(self.path):
            if self._container is not None:
                self._container.close()
            if self._sink is not None:
                self._sink.settle()
                self._sink.close()
        if self._index is not None:
            self._acknowledge()
            self._say(
                {"frames": self._written, "missed": self.missed, "end": 0 if self._sink is None else self._sink.size}
            )
            self._index.close()

    def _acknowledge(self) -> None:
        """Write down the frame before, which lies in the file now."""
        if self._held and self._sink is not None:
            self._say({**self._held, "end": self._sink.size})
        self._held = {}

    def _say(self, line: dict[str, Any]) -> None:
        assert self._index is not None
        with _translated(self.path):
            self._index.write(json.dumps(line) + "\n")


def mend(path: Path) -> bool:
    """Cut what a killed process left half written off a recording; say whether there was anything.

    Does nothing to other files, to a recording that was closed, and where the folder is read-only. Call it only
    when nobody writes the recording any more.
    """
    ends = []
    with suppress(OSError, ValueError):
        for text in path.with_name(INDEX).read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if "frames" in line:
                return False
            ends.append(int(line.get("end", 0)))
    with suppress(OSError):
        if path.name == NAME and ends and ends[-1] and path.stat().st_size > ends[-1]:
            os.truncate(path, ends[-1])
            log.warning("the recording %s was cut off; its %d whole frames are kept", path, len(ends) - 1)
            return True
    return False


def recorded_at(path: Path) -> datetime | None:
    """Say when the first frame of a recording was taken, from the index beside it; None for other files."""
    if path.name != NAME:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError), path.with_name(INDEX).open(encoding="utf-8") as index:
        head, first = (json.loads(index.readline(_LONGEST_LINE)) for _ in range(2))
        if head["format"] == _FORMAT:
            return datetime.fromisoformat(first["stamp"]).astimezone(UTC)
    return None


class _Sink(io.RawIOBase):
    """What the muxer writes to: holds a fragment back until it is whole, then writes it in one piece."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._held: list[bytes] = []
        self.size = 0

    def write(self, data: Any) -> int:
        """Take a piece of a fragment."""
        piece = bytes(data)
        self._held.append(piece)
        return len(piece)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def settle(self) -> None:
        """Write what is held; raises OSError."""
        whole = memoryview(b"".join(self._held))
        self._held.clear()
        while whole:
            written = self._file.write(whole) or 0
            self.size += written
            whole = whole[written:]

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
        super().close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise StoreBroken(
            f"the recording {path} cannot be written: {reason}; is the disk full?", path=path
        ) from failure
