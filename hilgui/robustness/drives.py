"""The labelled frames that an attempt is made on: opened once, spread evenly, kept in memory as far as they fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.evaluation import Clusters
from hilgui.evaluation.clusters import BLOCK, BLOCK_FRAMES, DRIVE, ENOUGH_DRIVES
from hilgui.evaluation.criticality import CriticalityMeter
from hilgui.evaluation.geometry import cameras_of
from hilgui.inference import Model
from hilgui.pipeline import RunPlan
from hilgui.pipeline.ignoring import Ignoring
from hilgui.pipeline.preparation import Prepared, prepare
from hilgui.records import (
    NO_CLASS,
    Frame,
    FrameHealth,
    FrameRef,
    Loss,
    Moment,
    Role,
    SourceFacts,
    Task,
    Truth,
    Vocabulary,
)
from hilgui.robustness.result import Drive
from hilgui.sources import FrameSource
from hilgui.stream import StopToken
from hilgui.truth import relabel

_KEPT_BYTES = 768 * 2**20  # of clean pictures, over all drives
_PICTURE = "picture"  # what is resampled where pictures have no order
_UNSEEN = FrameHealth(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One frame that is judged; classes are those of the common vocabulary."""

    drive: int
    ref: FrameRef
    truth: Truth
    critical: NDArray[np.bool_]  # (G,) rows of the truth that matter now


class Kept:
    """Another source, its pictures kept in memory while there is room; one thread."""

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, source: FrameSource, facts: SourceFacts, room_bytes: int) -> None:
        self._source = source
        self._facts = facts
        self._room = room_bytes
        self._frames: dict[int, Frame] = {}

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Recognise nothing."""
        return False

    def open(self) -> SourceFacts:
        """Give the facts of the source, which is open."""
        return self._facts

    def refs(self) -> list[FrameRef]:
        """Name the frames."""
        return self._source.refs()

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver every frame, as the source does."""
        return self._source.frames(stop)

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame; raises IndexError, SourceBroken."""
        frame = self._frames.get(seq)
        if frame is None:
            frame = self._source.frame_at(seq)
            if self._room >= frame.image.nbytes:
                self._room -= frame.image.nbytes
                self._frames[seq] = frame
        return frame

    def close(self) -> None:
        """Forget the pictures; whoever opened the source closes it."""
        self._frames.clear()


class Drives:
    """Opened recordings with their labels, and one set of models. One thread; `close` lets go of all."""

    def __init__(self, plans: Sequence[RunPlan], frames: int) -> None:
        """Open everything; raises HilguiError, CallWrong where there is nothing to judge."""
        self._opened: list[Prepared] = []
        try:
            for plan in plans:
                self._open(plan)
            first = self._opened[0]
            self.vocabulary: Vocabulary = first.header.vocabulary
            self.models: dict[Role, Model] = first.models
            self.tables: dict[Role, NDArray[np.int32]] = first.class_tables
            self.sources = [
                Kept(each.source, each.header.source, _KEPT_BYTES // len(self._opened)) for each in self._opened
            ]
            self.labelled = [
                one for drive, each in enumerate(self._opened) for one in self._chosen(drive, each, frames)
            ]
        except BaseException:
            self.close()
            raise

    @property
    def judged(self) -> frozenset[int]:
        """Give the class numbers that are compared."""
        return self.vocabulary.judged

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what preparing found, each once."""
        return tuple(dict.fromkeys(note for each in self._opened for note in each.notes))

    def facts(self) -> tuple[Drive, ...]:
        """Say which recordings these are."""
        counts = np.bincount([one.drive for one in self.labelled], minlength=len(self._opened)).tolist()
        return tuple(
            Drive(
                name=each.header.source.name,
                path=each.header.source.path,
                sha256=each.header.source.sha256,
                truth="" if each.header.truth is None else each.header.truth.sha256,
                frames=count,
            )
            for each, count in zip(self._opened, counts, strict=True)
        )

    def clusters(self) -> Clusters:
        """Give what is resampled: drives; blocks of them where they are few; pictures that have no order one by one."""
        names: dict[str, int] = {}
        several = len(self._opened) >= ENOUGH_DRIVES
        is_ordered = all(each.header.source.ordered for each in self._opened)
        of_frame = []
        for one in self.labelled:
            source = self._opened[one.drive].header.source
            name = source.name
            if not several:
                name += f"#{one.ref.seq // BLOCK_FRAMES if source.ordered else one.ref.seq}"
            of_frame.append(names.setdefault(f"{one.drive}:{name}", len(names)))
        unit = DRIVE if several else BLOCK if is_ordered else _PICTURE
        return Clusters(np.array(of_frame, np.int64), tuple(names), unit)

    def close(self) -> None:
        """Close recordings and models; may be called twice."""
        for each in self._opened:
            each.close()
        self._opened = []

    def _open(self, plan: RunPlan) -> None:
        prepared = prepare(plan)
        self._opened.append(prepared)
        name = prepared.header.source.name
        others = [role.value for role, model in prepared.models.items() if model.facts.task != Task.DETECTION]
        if others:
            raise CallWrong(f"robustness is measured on detectors; the {others[0]} of {name} is none")
        if not prepared.truths:
            raise CallWrong(f"{name} has no labels of boxes; robustness is measured against labels, add --truth")
        if len(self._opened) > 1:
            _refuse_unlike(self._opened[0], prepared)
            for model in prepared.models.values():  # those of the first drive serve all
                model.close()
            prepared.models.clear()

    def _chosen(self, drive: int, prepared: Prepared, most: int) -> list[Labelled]:
        """Spread the frames evenly; what is critical is judged over all frames, as it takes their order."""
        table = _translation(prepared.header.vocabulary, self.vocabulary)
        refs = [ref for ref in prepared.source.refs() if ref.truth_seq in prepared.truths]
        places = set(np.linspace(0, len(refs) - 1, min(most, len(refs))).round().astype(int).tolist())
        limits = prepared.plan.settings.corner_cases.criticality
        camera = cameras_of(prepared.header.source)
        meters: dict[str, CriticalityMeter] = {}
        ignoring = Ignoring(prepared.profile)
        chosen = []
        for place, ref in enumerate(refs):
            truth = prepared.truths[ref.truth_seq]
            meter = meters.setdefault(
                ref.channel, CriticalityMeter(limits, prepared.header.vocabulary, camera(ref.channel))
            )
            found = meter.truths(Moment(ref, _UNSEEN, truth, {}))
            if place in places:
                assert found is not None
                whole = ignoring.boxes(relabel(truth, table), ref.width, ref.height)
                assert whole is not None
                critical = np.zeros(len(whole), np.bool_)
                critical[: len(truth)] = found.critical
                chosen.append(Labelled(drive, ref, whole, critical))
        return chosen


def _refuse_unlike(first: Prepared, other: Prepared) -> None:
    names = [{each.header.vocabulary.name(one) for one in each.header.vocabulary.judged} for each in (first, other)]
    if names[0] != names[1]:
        raise CallWrong(
            f"{first.header.source.name} and {other.header.source.name} are judged by different classes "
            f"({', '.join(sorted(names[0] ^ names[1]))} only in one); name those that both have: --classes"
        )


def _translation(own: Vocabulary, common: Vocabulary) -> NDArray[np.int32]:
    place = {name: number for number, name in enumerate(common.names)}
    return np.array([place.get(name, NO_CLASS) for name in own.names], np.int32)
