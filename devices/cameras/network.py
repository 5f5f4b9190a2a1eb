"""Cameras on a network: RTSP, MJPEG over HTTP, transport streams over TCP and UDP, read by FFmpeg."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import av
import av.container
import numpy as np
from av.video.frame import VideoFrame

from hilgui.errors import SourceBroken
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish, without_password

_OPEN_S = 5.0
_READ_S = 1.0  # without a packet the stream is gone
_USUAL_FPS = 25.0
_BELIEVED_FPS = (1.0, 240.0)

# What a stream may be and what it may reach: a playlist that names files of this machine is refused.
_PROTOCOLS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,tcp,tls,udp",
    "http": "http,tcp",
    "https": "https,http,tcp,tls",
    "tcp": "tcp",
    "udp": "udp",
}
_FORMATS = "rtsp,sdp,rtp,mpegts,mpjpeg,mjpeg,flv,h264,hevc"
_PINNED = {"rtsp": "rtsp", "rtsps": "rtsp", "tcp": "mpegts", "udp": "mpegts"}  # http says what it is


class NetworkCamera:
    """Reads `rtsp://…`, `http://…`, `tcp://…` or `udp://…` with as little delay as FFmpeg allows.

    Stamps are the presentation times of the stream (RTP time for RTSP); what the sender lost shows as a gap in them.
    A stream cannot be asked for another size or rate: such wishes are noted and not granted. No picture for a second,
    or the end of the stream, is a loss.
    """

    lists: ClassVar[str] = ""

    def __init__(self, address: str) -> None:
        self._address = address
        self._scheme = address.partition(":")[0]
        self._name = without_password(address)
        self._container: av.container.InputContainer | None = None
        self._pictures: Iterator[VideoFrame] = iter(())
        self._first: VideoFrame | None = None

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List nothing: an address cannot be guessed."""
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        """Connect and wait for the first picture; raises SourceBroken."""
        self.close()
        with self._translated("cannot be opened", "check the address, and that the camera is on"):
            container = av.open(
                self._address, format=_PINNED.get(self._scheme), options=self._options(), timeout=(_OPEN_S, _READ_S)
            )
            self._container = container
            if not container.streams.video:
                raise SourceBroken(f"the stream {self._name} has no picture track; is this the right address?")
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"  # threads by frame hold pictures back
            self._pictures = container.decode(stream)
            self._first = next(self._pictures)
        rate = stream.average_rate or stream.guessed_rate
        low, high = _BELIEVED_FPS
        fps = float(rate) if rate is not None and low <= rate <= high else wish.fps or _USUAL_FPS
        notes = []
        if rate is None or not low <= rate <= high:
            notes.append(f"the stream {self._name} does not say its rate; {fps:g} frames/s are assumed")
        if wish.width or wish.pixel_format or wish.exposure_ms:
            notes.append("size, format and exposure of a network stream are set in the camera itself")
        codec = stream.codec_context.name
        return CameraFacts(
            name=self._name.partition("://")[2].rstrip("/").replace("/", "-") or self._scheme,
            kind=f"{self._scheme} stream {codec}",
            width=self._first.width,
            height=self._first.height,
            fps=fps,
            is_remote=True,
            notes=tuple(notes),
        )

    def read(self) -> Shot:
        """Wait for the next picture; raises SourceBroken when the stream ends, is silent or breaks."""
        picture, self._first = self._first, None
        while picture is None:
            try:
                with self._translated("broke", "is the camera still there?"):
                    picture = next(self._pictures)
            except av.InvalidDataError:  # one damaged packet; the stream goes on
                assert self._container is not None
                self._pictures = self._container.decode(video=0)
                return Shot(None, time.monotonic_ns(), None, "could not be decoded")
        arrival = time.monotonic_ns()
        stamp = None
        if picture.pts is not None and picture.time_base is not None:
            stamp = round(picture.pts * picture.time_base * 1_000_000_000)
        return Shot(np.asarray(picture.to_ndarray(format="bgr24"), np.uint8), arrival, stamp)

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._pictures = iter(())
        self._first = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _options(self) -> dict[str, str]:
        options = {
            "protocol_whitelist": _PROTOCOLS[self._scheme],
            "format_whitelist": _FORMATS,
            "fflags": "nobuffer",
            "probesize": "500000",
            "analyzeduration": "1000000",
        }
        if self._scheme in ("rtsp", "rtsps"):
            options |= {"rtsp_transport": "tcp", "reorder_queue_size": "0", "max_delay": "0"}
        return options

    @contextmanager
    def _translated(self, what: str, advice: str) -> Iterator[None]:
        """Turn what PyAV raises into SourceBroken; a damaged packet of an open stream is for `read`."""
        try:
            yield
        except StopIteration as failure:
            raise SourceBroken(f"the stream {self._name} ended; {advice}") from failure
        except (av.FFmpegError, OSError, ValueError) as failure:
            if isinstance(failure, av.InvalidDataError) and what == "broke":
                raise
            reason = getattr(failure, "strerror", None) or failure
            if isinstance(failure, av.ExitError):
                reason = "it gives no picture in time"
            raise SourceBroken(f"the stream {self._name} {what}: {reason}; {advice}") from failure
