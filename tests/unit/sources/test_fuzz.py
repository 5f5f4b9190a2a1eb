"""Damage of every kind ends in SourceBroken or in a Loss: bounded, and in a process of its own should FFmpeg crash."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Writer1

from tests.corpus.clips import CORPUS, Odd

from .bags import write_foxglove, write_rosbag1, write_rosbag2
from .test_image_drives import with_exif

VARIANTS, SECONDS, MEBIBYTES = 24, 100, 4096

_CLIPS = {
    "b frames.mp4",
    "uneven rate.mkv",
    "open groups.ts",
    "mpeg4.avi",
    "h265.mp4",
    "vp9.webm",
    "av1.mkv",
    "mjpeg.mov",
}

_CHILD = """
import json, resource, sys
from pathlib import Path
limit = int(sys.argv[3]) * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import random
from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources import source_for
from hilgui.sources.signals import read_bus
from hilgui.stream import StopToken

path, variants = Path(sys.argv[1]), int(sys.argv[2])
is_image = path.suffix in (".png", ".jpg", ".tif")
is_log = path.suffix in (".blf", ".asc")
whole = path.read_bytes()
order = random.Random(path.name)
ends = {}

def damaged(number):
    data = bytearray(whole)
    match number % 4:
        case 0:
            return bytes(data[: order.randrange(len(data))])
        case 1:
            for _ in range(order.choice((1, 8, 64))):
                data[order.randrange(len(data))] ^= 1 << order.randrange(8)
        case 2:  # huge fields, most often in the header
            for _ in range(4):
                place = order.randrange(min(len(data), order.choice((64, 1024, len(data)))))
                data[place : place + 4] = b"\\xff\\xff\\xff\\x7f" if order.random() < 0.5 else b"\\xff" * 4
        case 3:
            place = order.randrange(len(data))
            data[place : place + 512] = order.randbytes(min(512, len(data) - place))
    return bytes(data)

for number in range(variants):
    folder = path.parent / "fuzzed"
    folder.mkdir(exist_ok=True)
    target = folder / f"0{path.suffix}"
    target.write_bytes(b"" if number == 0 else damaged(number))
    print("variant", number, file=sys.stderr, flush=True)
    source = None
    try:
        if is_log:
            read_bus(target, Path(sys.argv[4]))
            end = "read"
        else:
            source = source_for(folder if is_image else target)
            facts = source.open()
            items = list(source.frames(StopToken()))
            assert all(isinstance(item, Frame | Loss) for item in items)
            assert len(items) == facts.frames, (len(items), facts.frames)
            for seq in (0, len(items) // 2, len(items) - 1):
                try:
                    source.frame_at(seq)
                except SourceBroken:
                    pass
            end = "losses" if any(isinstance(item, Loss) for item in items) else "read"
    except SourceBroken:
        end = "refused"
    finally:
        if source is not None:
            source.close()
    ends[end] = ends.get(end, 0) + 1
print(json.dumps(ends))
"""


def _image(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "images" / f"0{suffix}"
        path.parent.mkdir()
        picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
        data = (
            with_exif("2023:11:14 22:13:20", "05") if suffix == ".jpg" else cv2.imencode(suffix, picture)[1].tobytes()
        )
        path.write_bytes(data)
        return path

    return write


def _clip(odd: Odd) -> Callable[[Path], Path]:
    return lambda folder: odd.write(folder)


def _log(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        from .test_signals import write_log

        return write_log(folder / f"drive{suffix}")

    return write


FORMATS: dict[str, Callable[[Path], Path]] = {
    **{odd.name: _clip(odd) for odd in CORPUS if odd.name in _CLIPS},
    "mcap": lambda folder: write_foxglove(folder / "drive.mcap"),
    "mcap, protobuf": lambda folder: write_foxglove(folder / "drive.mcap", encoding="protobuf"),
    "rosbag2 mcap": lambda folder: next(write_rosbag2(folder / "bag").glob("*.mcap")),
    "rosbag2 sqlite": lambda folder: next(write_rosbag2(folder / "bag", sqlite=True).glob("*.db3")),
    "rosbag1": lambda folder: write_rosbag1(folder / "drive.bag"),
    "rosbag1 bz2": lambda folder: write_rosbag1(folder / "d.bag", compression=Writer1.CompressionFormat.BZ2),
    "png": _image(".png"),
    "jpg": _image(".jpg"),
    "tif": _image(".tif"),
    "blf": _log(".blf"),
    "asc": _log(".asc"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_damage_is_refused_or_counted(name: str, tmp_path: Path) -> None:
    run(FORMATS[name](tmp_path), VARIANTS, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FORMATS)
def test_much_damage_is_refused_or_counted(name: str, tmp_path: Path) -> None:
    run(FORMATS[name](tmp_path), VARIANTS * 12, tmp_path, seconds=SECONDS * 8)


def run(path: Path, variants: int, folder: Path, seconds: float = SECONDS) -> None:
    from .test_signals import DBC

    dbc = folder / "car.dbc"
    dbc.write_text(DBC)
    command = [sys.executable, "-c", _CHILD, str(path), str(variants), str(MEBIBYTES), str(dbc)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"exit {done.returncode} {done.stderr[-2000:]}"
    ends = json.loads(done.stdout.splitlines()[-1])
    assert sum(ends.values()) == variants
