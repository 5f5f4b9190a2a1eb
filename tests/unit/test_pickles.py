"""A pickle is a program. Under whatever name one comes in, it is not run, and one sentence says what is wrong."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import devices
import hilgui
from hilgui.errors import HilguiError
from hilgui.evidence.stored_zip import Container, Damaged
from hilgui.inference.inspection import inspect_model
from hilgui.inference.onnx_file import read_onnx
from hilgui.rigs.profile import read_profile
from hilgui.sequencer.loading import read_case
from hilgui.sources import open_source
from hilgui.stream import StopToken
from hilgui.truth import read_labels


class _Program:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[[Path, str], int], tuple[Path, str]]:
        return Path.write_text, (self._marker, "it ran")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "ran"


def _play(path: Path) -> None:
    source = open_source(path)
    source.open()
    list(source.frames(StopToken()))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("model.onnx", read_onnx),
        ("model.onnx", inspect_model),
        ("model.pt", inspect_model),
        ("labels.json", read_labels),
        ("labels.txt", read_labels),
        ("labels.xml", read_labels),
        ("labels.npy", read_labels),
        ("drive.mp4", _play),
        ("drive.npy", _play),
        ("drive.bag", _play),
        ("drive.mcap", _play),
        ("rig.yaml", read_profile),
        ("smoke.case.yaml", read_case),
        ("bundle.zip", Container),
    ],
)
def test_a_pickle_is_never_loaded(tmp_path: Path, marker: Path, name: str, read: Callable[[Path], object]) -> None:
    for protocol in (0, pickle.HIGHEST_PROTOCOL):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(_Program(marker), protocol))
        with pytest.raises((HilguiError, Damaged)):
            read(path)
        assert not marker.exists()


def test_the_program_of_these_tests_would_run(marker: Path) -> None:
    pickle.loads(pickle.dumps(_Program(marker)))
    assert marker.read_text() == "it ran"


_LOADERS = {
    ("pickle", "load"), ("pickle", "loads"), ("pickle", "Unpickler"), ("dill", "load"), ("joblib", "load"),
    ("torch", "load"), ("np", "load"), ("numpy", "load"), ("pd", "read_pickle"), ("shelve", "open"), ("yaml", "load"),
    ("yaml", "unsafe_load"), ("yaml", "full_load"), ("marshal", "loads"),
}  # fmt: skip
_OURS = {("screen.py", "pickle", "loads")}  # of our own child's memory


def test_nothing_in_hilgui_loads_a_pickle_from_a_file() -> None:
    found = set()
    for package in (hilgui, devices):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or "allow_pickle=False" in map(ast.unparse, node.keywords):
                    continue
                called = node.func
                if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                    if (called.value.id, called.attr) in _LOADERS:
                        found.add((path.name, called.value.id, called.attr))
    assert found == _OURS
