"""What happens when the GPU has no room, and when a picture never gets done."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.errors import InferenceHung, MemoryExhausted, ModelBroken
from hilgui.inference import Model
from hilgui.inference.pinned import pin
from hilgui.inference.session import Session, translated
from tests.flow.endless import write_endless

from .tiny import dense

ONE = dense([[0, 0, 9, 9]], [[0.9, 0.1]])
IMAGE = np.full((48, 64, 3), 90, np.uint8)


class Full:
    """A session that finds no memory; the rest is that of a real one."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.runs = 0

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self.runs += 1
        with translated(Path("one.onnx"), "fails while it runs"):
            raise RuntimeError("CUDNN_STATUS_ALLOC_FAILED; CUDA failure 2: out of memory; GPU=0")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_session_without_room_is_discarded_and_started_once_more(tmp_path: Path) -> None:
    model = Model.load(ONE.write(tmp_path / "one.onnx"), provider="cpu")
    model._session = full = Full(model._session)
    workspace = model.workspace()

    found = model.infer(IMAGE, workspace)
    model.infer(IMAGE, workspace)

    assert len(found.detections.scores) == 2
    assert full.runs == 1
    (said,) = model.account()
    assert "discarded and started once more" in said
    assert "out of memory" in said


def test_a_session_that_finds_no_room_again_ends_the_run(tmp_path: Path) -> None:
    model = Model.load(ONE.write(tmp_path / "one.onnx"), provider="cpu")
    real = model._session
    made: list[Full] = []

    def again() -> Full:
        made.append(Full(real))
        return made[-1]

    model._session, model._reopen = Full(real), again

    with pytest.raises(MemoryExhausted, match="out of memory"):
        model.infer(IMAGE, model.workspace())
    with pytest.raises(MemoryExhausted):
        model.infer(IMAGE, model.workspace())
    assert len(made) == 1


def test_workers_that_fail_together_share_the_new_session(tmp_path: Path) -> None:
    model = Model.load(ONE.write(tmp_path / "one.onnx"), provider="cpu")
    real, made = model._session, 0
    together = threading.Barrier(3)

    class Together(Full):
        def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
            together.wait(30)
            return super().run(feeds)

    def again() -> Any:
        nonlocal made
        made += 1
        return real

    model._session, model._reopen = Together(real), again
    counts: list[int] = []
    workers = [
        threading.Thread(target=lambda: counts.append(len(model.infer(IMAGE, model.workspace()).detections.scores)))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (counts, made) == ([2, 2, 2], 1)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Failed to allocate memory for requested buffer of size 8294400", MemoryExhausted),
        ("std::bad_alloc", MemoryExhausted),
        ("CUBLAS_STATUS_ALLOC_FAILED", MemoryExhausted),
        ("Exiting due to terminate flag being set to true.", InferenceHung),
        ("Non-zero status code returned while running Conv node", ModelBroken),
    ],
)
def test_what_onnxruntime_says_becomes_the_error_with_the_remedy(said: str, kind: type[Exception]) -> None:
    with pytest.raises(ModelBroken) as caught, translated(Path("one.onnx"), "fails while it runs"):
        raise RuntimeError(said)
    assert type(caught.value) is kind


def test_a_loop_without_end_is_ended_through_the_run_options(tmp_path: Path) -> None:
    session = Session(write_endless(tmp_path / "endless.onnx"), provider="cpu", threads=1, spinning=False)
    session.run({"image": np.zeros((1, 3, 48, 64), np.float32)})
    assert session.longest_s() == 0
    said: list[str] = []

    def look() -> None:
        try:
            session.run({"image": np.ones((1, 3, 48, 64), np.float32)})
        except InferenceHung as failure:
            said.append(str(failure))

    worker = threading.Thread(target=look)
    worker.start()
    patience = threading.Event()
    while session.longest_s() < 0.1:
        patience.wait(0.02)
    session.terminate()
    worker.join(60)

    assert "endless.onnx" in said[0]


class Driver:
    """The CUDA driver's calls for page-locked memory."""

    def __init__(self, code: int = 0) -> None:
        self.locked: list[int] = []
        self._code = code

    def cuMemHostRegister_v2(self, address: Any, size: Any, flags: Any) -> int:
        if self._code == 0:
            self.locked.append(address.value)
        return self._code

    def cuMemHostUnregister(self, address: Any) -> int:
        self.locked.remove(address.value)
        return 0

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cu"):
            raise AttributeError(name)
        return lambda *_: 0


def test_a_buffer_is_page_locked_as_long_as_it_lives() -> None:
    driver = Driver()
    array = np.zeros(1000, np.float32)

    pin(array, driver)
    assert driver.locked == [array.ctypes.data]
    del array
    assert driver.locked == []


def test_a_buffer_that_cannot_be_locked_stays_as_it_was() -> None:
    assert pin(np.zeros(10, np.float32), Driver(code=2)) is None
    assert pin(np.zeros((4, 4), np.float32)[:, 1], Driver()) is None
    assert ctypes.sizeof(ctypes.c_void_p) == 8
