"""Network cameras against real servers on loopback."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.cameras.network import NetworkCamera
from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources.camera import Wish
from hilgui.sources.live import LiveLimits, live_source
from hilgui.stream import StopToken

from .servers import encoded, free_port, rtsp_server, transport_stream, web_server


def collect(address: str, duration_s: float) -> tuple[list[Frame], list[Loss], tuple[str, ...]]:
    source = live_source(Path(f"camera:{address}"), duration_s=duration_s)
    try:
        source.open()
        items = list(source.frames(StopToken()))
    finally:
        source.close()
    frames = [item for item in items if isinstance(item, Frame)]
    return frames, [item for item in items if isinstance(item, Loss)], source.account()


def test_an_rtsp_camera_delivers_its_frames_with_the_stamps_of_the_stream(tmp_path: Path) -> None:
    with rtsp_server(tmp_path, free_port()) as address:
        frames, _, _ = collect(address, 1.0)
    assert len(frames) >= 20
    steps = np.diff([frame.ref.captured_ns for frame in frames]) / 1e6
    assert np.median(steps) == pytest.approx(1000 / 30, abs=1.0)
    assert frames[0].image.shape == (240, 320, 3)


def test_an_rtsp_server_that_dies_is_noticed_and_its_return_too(tmp_path: Path) -> None:
    port = free_port()
    with rtsp_server(tmp_path, port) as address:
        source = live_source(Path(f"camera:{address}"), duration_s=20)
        source.open()
    died = time.monotonic()
    noticed = 0.0
    stop = StopToken()
    returned: list[float] = []

    def restart() -> None:
        with rtsp_server(tmp_path, port):
            done.wait(20)

    done = threading.Event()
    restarted: threading.Thread | None = None
    for item in source.frames(stop):
        if isinstance(item, Loss) and not noticed:
            noticed = time.monotonic() - died
            restarted = threading.Thread(target=restart, name="restart")
            restarted.start()
        elif isinstance(item, Frame) and noticed:
            returned.append(time.monotonic() - died)
            if len(returned) == 5:
                stop.stop("seen")
    done.set()
    source.close()
    assert restarted is not None
    restarted.join()
    assert 0.3 <= noticed <= 6 and len(returned) == 5  # one second, and what a busy machine may add
    assert "connected again" in source.account()[0]


def test_a_transport_stream_that_is_cut_comes_back_and_the_gap_is_counted() -> None:
    stream = encoded("mpegts", 60)
    with transport_stream((stream, 1.5), (stream, 1.5)) as address:
        source = live_source(Path(f"camera:{address}"), duration_s=20)
        source.open()
        stop = StopToken()
        items: list[Frame | Loss] = []
        for item in source.frames(stop):
            items.append(item)
            if isinstance(item, Frame) and sum(isinstance(each, Loss) for each in items) > 5:
                stop.stop("seen")
        source.close()
    assert [item.ref.seq for item in items] == list(range(len(items)))
    assert {item.reason for item in items if isinstance(item, Loss)} >= {"went missing while the camera was away"}
    assert "connected again" in source.account()[0]
    times = [item.ref.time_s for item in items]
    assert times == sorted(times)


def test_motion_jpeg_over_http_is_a_camera() -> None:
    parts = b"".join(
        b"--b\r\nContent-Type: image/jpeg\r\n\r\n"
        + cv2.imencode(".jpg", np.full((48, 64, 3), 10 * number, np.uint8))[1].tobytes()
        + b"\r\n"
        for number in range(10)
    )
    camera = NetworkCamera("")
    with web_server("multipart/x-mixed-replace;boundary=b", parts) as address:
        camera = NetworkCamera(address)
        facts = camera.open(Wish(fps=10))
        shots = [camera.read() for _ in range(8)]
        camera.close()
        camera.close()
    assert (facts.width, facts.height, facts.is_remote) == (64, 48, True)
    assert all(shot.image is not None and shot.image.shape == (48, 64, 3) for shot in shots)


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
    ],
    ids=["hls", "concat"],
)
def test_a_stream_that_is_a_playlist_of_files_is_refused(playlist: bytes) -> None:
    with web_server("application/octet-stream", playlist) as address:
        camera = NetworkCamera(address)
        with pytest.raises(SourceBroken, match="cannot be opened"):
            camera.open(Wish())
        camera.close()


@pytest.mark.parametrize("scheme", ["rtsp", "http", "tcp"])
def test_nobody_there_is_one_sentence_without_the_password(scheme: str) -> None:
    camera = NetworkCamera(
        f"{scheme}://ada:secret@127.0.0.1:{free_port()}/x" if scheme != "tcp" else "tcp://127.0.0.1:9"
    )
    with pytest.raises(SourceBroken) as caught:
        camera.open(Wish())
    camera.close()
    assert "cannot be opened" in str(caught.value) and "secret" not in str(caught.value)


def test_a_server_that_is_silent_does_not_hold_the_camera_up() -> None:
    with transport_stream((encoded("mpegts", 30)[: 188 * 40], 0.2)) as address:
        camera = NetworkCamera(address)
        started = time.monotonic()
        with pytest.raises(SourceBroken):
            camera.open(Wish())
            for _ in range(100):
                camera.read()
        camera.close()
    assert time.monotonic() - started < 8
    assert LiveLimits().remote_silence_s == 1.0
