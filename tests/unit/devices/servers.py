"""Real servers on loopback for the network cameras: RTSP by GStreamer or a package, transport streams, HTTP."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest

_SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
_GSTREAMER = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
_PACKAGE = (
    "import asyncio, sys, aio_rtsp_toolkit.server as s; "
    "asyncio.run(s.serve(sys.argv[1], '127.0.0.1', int(sys.argv[2])))"
)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def encoded(container: str, frames: int, fps: int = 30) -> bytes:
    """Encode a moving square, without B-frames, a key frame every half second."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream("libx264", rate=fps, options={"bf": "0", "g": "15", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(frames):
            image = np.full((240, 320, 3), 60, np.uint8)
            image[100:140, number % 280 : number % 280 + 40] = 220
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    return target.getvalue()


@contextmanager
def rtsp_server(folder: Path, port: int) -> Iterator[str]:
    """Start a real RTSP server and give the address of its stream; skips where none is installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if (
        Path(_SYSTEM_PYTHON).exists()
        and not subprocess.run(
            [_SYSTEM_PYTHON, "-c", _GSTREAMER], capture_output=True, check=False, env=environment
        ).returncode
    ):
        command = [_SYSTEM_PYTHON, str(Path(__file__).with_name("gst_rtsp_server.py")), str(port)]
        address = f"rtsp://127.0.0.1:{port}/cam"
    elif find_spec("aio_rtsp_toolkit") is not None:
        (folder / "cam.mp4").write_bytes(encoded("mp4", 900))
        command = [sys.executable, "-c", _PACKAGE, str(folder), str(port)]
        address = f"rtsp://127.0.0.1:{port}/cam.mp4"
    else:
        pytest.skip("no RTSP server: apt install gir1.2-gst-rtsp-server-1.0, or pip install aio-rtsp-toolkit[server]")
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait_for(port)
        yield address
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the RTSP server does not start")


@contextmanager
def transport_stream(*streams: tuple[bytes, float]) -> Iterator[str]:
    """Serve one transport stream a connection over TCP: its bytes, spread over the seconds, then the line is cut."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        for stream, lasts_s in streams:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                for start in range(0, len(stream), 188 * 8):
                    try:
                        connection.sendall(stream[start : start + 188 * 8])
                    except OSError:
                        break
                    time.sleep(lasts_s * 188 * 8 / len(stream))

    thread = threading.Thread(target=serve, name="transport stream")
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join()


@contextmanager
def web_server(kind: str, body: bytes) -> Iterator[str]:
    """Answer every request with one body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="web server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
