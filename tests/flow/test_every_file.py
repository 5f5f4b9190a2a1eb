"""Every file of the real data knocks at every door: it opens, or is refused in one sentence with its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hilgui.errors import HilguiError
from hilgui.inference.onnx_file import read_onnx
from hilgui.sources import source_for
from hilgui.sources.signals import read_bus
from hilgui.truth import read_labels

_LONGEST = 1200  # characters of a sentence: the topics of a bag are listed
# What has to open as one of these; any other file may, or is refused by all.
_OPEN = {
    ".onnx": {"model"},
    ".mp4": {"recording"},
    ".mcap": {"recording"},
    ".blf": {"bus"},
    ".csv": {"labels", "refused"},
    ".bag": {"refused"},
    ".dbc": {"refused"},
    ".png": {"refused"},
    ".jpg": {"refused"},
    ".md": {"refused"},
}


def _recording(path: Path, _: Path) -> None:
    with contextlib.closing(source_for(path)) as source:
        source.open()


DOORS: dict[str, Callable[[Path, Path], object]] = {
    "recording": _recording,
    "labels": lambda path, _: read_labels(path),
    "model": lambda path, _: read_onnx(path),
    "bus": lambda path, dbc: read_bus(path, dbc, names=("SPEED",)),
}


def strange(paths: Iterable[Path], dbc: Path) -> list[str]:
    """List what is wrong: no typed error, no place in the sentence, too long a sentence, another door than its own."""
    found = []
    for path in paths:
        doors = set()
        for name, door in DOORS.items():
            try:
                door(path, dbc)
                doors.add(name)
            except HilguiError as refused:
                told = str(refused)
                if str(path.parent) not in told or len(told) > _LONGEST or "\n" in told:
                    found.append(f"{path} at {name}: {told}")
            except Exception as failure:  # the finding of this test
                found.append(f"{path} at {name}: {type(failure).__name__}: {failure}")
        wanted = _OPEN.get(path.suffix.lower())
        if wanted is not None and not (doors or {"refused"}) <= wanted:
            found.append(f"{path} opened as {', '.join(sorted(doors)) or 'nothing'}")
    return found


def _files(shared_data: Path) -> list[Path]:
    return sorted(path for path in shared_data.rglob("*") if path.is_file())


def _dbc(shared_data: Path) -> Path:
    return shared_data / "can" / "opendbc" / "_toyota_2017.dbc"


def test_the_smallest_file_of_each_kind_opens_or_is_refused(shared_data: Path) -> None:
    smallest: dict[str, Path] = {}
    for path in sorted(_files(shared_data), key=lambda path: path.stat().st_size):
        smallest.setdefault(path.suffix.lower(), path)
    assert {".onnx", ".mp4", ".mcap", ".json", ".xml", ".txt"} <= set(smallest)
    assert strange(smallest.values(), _dbc(shared_data)) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_file_opens_or_is_refused(shared_data: Path) -> None:
    files = _files(shared_data)
    assert len(files) > 1000
    assert strange(files, _dbc(shared_data)) == []
