"""A small bench for the flow tests: a source, models and truth that behave, without files."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.pipeline import Prepared, Progress, RunPlan
from hilgui.records import (
    Detections,
    Fate,
    Frame,
    FrameRef,
    Inference,
    Loss,
    ModelFacts,
    Moment,
    People,
    Role,
    RunHeader,
    SourceFacts,
    Truth,
    TruthFacts,
    Vocabulary,
)
from hilgui.settings import Settings
from hilgui.stream import StopToken

WIDTH, HEIGHT, FPS = 160, 120, 30.0
BOX = (40.0, 40.0, 80.0, 100.0)


class ListSource:
    """Frames out of a formula; `lost` are not decodable, at `breaks_at` the camera is unplugged."""

    suffixes: frozenset[str] = frozenset()

    def __init__(self, count: int, *, lost: frozenset[int] = frozenset(), breaks_at: int | None = None) -> None:
        self._count = count
        self._lost = lost
        self._breaks_at = breaks_at
        self.is_closed = False

    def open(self) -> SourceFacts:
        return SourceFacts(
            "formula.mp4", "list", "/formula.mp4", "0" * 64, WIDTH, HEIGHT, FPS, self._count, ordered=True
        )

    def ref(self, seq: int) -> FrameRef:
        stamp = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seq / FPS)
        return FrameRef(seq, f"formula.mp4#{seq:06d}", seq / FPS, stamp, time.monotonic_ns(), WIDTH, HEIGHT)

    def refs(self) -> list[FrameRef]:
        return [self.ref(seq) for seq in range(self._count)]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        for seq in range(self._count):
            if stop.is_set:
                return
            if seq == self._breaks_at:
                raise OSError("the camera was unplugged")
            lost = Loss(self.ref(seq), Fate.DROPPED, "could not be decoded", f"picture {seq} is empty")
            yield lost if seq in self._lost else self.frame_at(seq)

    def frame_at(self, seq: int) -> Frame:
        image = np.full((HEIGHT, WIDTH, 3), 40 + seq % 100, np.uint8)
        image[:, WIDTH // 2 :] += 80  # a picture without contrast would be a finding
        image.flags.writeable = False
        return Frame(self.ref(seq), image)

    def close(self) -> None:
        self.is_closed = True


class BoxModel:
    """Sees one person in every frame but the `blind` ones; may be slow, and fails from `fails_at` on."""

    classes = ("person",)

    def __init__(
        self, name: str, *, blind: frozenset[int] = frozenset(), slow_s: float = 0.0, fails_at: int | None = None
    ) -> None:
        self.facts = ModelFacts(
            name,
            f"/{name}.onnx",
            "1" * 64,
            "box",
            "CPUExecutionProvider",
            "formula",
            1,
            0.5,
            0.65,
            64,
            64,
            self.classes,
        )
        self._blind = blind
        self._slow_s = slow_s
        self._fails_at = fails_at
        self.seen: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def workspace(self) -> None:
        return None

    def infer(self, image: NDArray[np.uint8], workspace: Any) -> Inference:
        seq = int(image[0, 0, 0]) - 40
        self.seen.append(seq)
        self.may_go_on.wait(240)
        if self._fails_at is not None and seq >= self._fails_at:
            raise ValueError("the model broke")
        if self._slow_s:
            time.sleep(self._slow_s)
        if seq in self._blind:
            return Inference(Detections.none(), 1, 1, 1)
        boxes = np.array([BOX], np.float32)
        return Inference(Detections(boxes, np.array([0.9], np.float32), np.zeros(1, np.int32)), 100, 1000, 100)

    def longest_s(self) -> float:
        return 0.0

    def terminate(self) -> None:
        pass

    def account(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        return None


class Watching:
    """Remembers what a run told."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.frames: list[int] = []

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)

    def on_frame(self, frame: Frame, moment: Moment) -> None:
        self.frames.append(moment.ref.seq)


def prepared(
    out: Path,
    source: ListSource,
    baseline: BoxModel,
    candidate: BoxModel | None = None,
    *,
    labelled: range = range(0),
    factor: float | None = None,
    workers: int = 2,
) -> Prepared:
    """Put a bench together; `labelled` frames have one person in the truth."""
    models = {Role.BASELINE: baseline} | ({} if candidate is None else {Role.CANDIDATE: candidate})
    settings = Settings(home=out)
    facts = source.open()
    truth = Truth.of(np.array([BOX]), np.zeros(1, np.int32), tracks=np.array([7], np.int64))
    header = RunHeader(
        run_id="20260101-000000-formula-0000",
        created="2026-01-01T00:00:00+00:00",
        version="0",
        commit="",
        command=("test",),
        settings={},
        host={},
        people=People(),
        source=facts,
        truth=TruthFacts("/truth", "2" * 64, "list", "key", len(labelled)) if labelled else None,
        models={role: model.facts for role, model in models.items()},
        vocabulary=Vocabulary(("person",), frozenset({0})),
        speed="max" if factor is None else str(factor),
        workers=workers,
    )
    plan = RunPlan(Path("formula.mp4"), Path("baseline.onnx"), out, settings)
    return Prepared(
        plan=plan,
        header=header,
        source=source,
        models=models,  # type: ignore[arg-type]
        class_tables={role: np.zeros(1, np.int32) for role in models},
        truths=dict.fromkeys(labelled, truth),
        factor=factor,
        notes=(),
    )
