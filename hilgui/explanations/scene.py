"""Everything an explanation looks at: the finding of a run, its picture as the model saw it, the labels, the model."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong, HilguiError, ModelBroken, SourceBroken
from hilgui.explanations.target import Image, Target
from hilgui.inference import Model, try_before_first_use
from hilgui.records import NO_CLASS, Finding, Kind, Moment, Role, RunHeader, Task
from hilgui.sources import FrameSource, source_again
from hilgui.store import RunReader

MISSED_KINDS = frozenset({Kind.MISSED_CRITICAL, Kind.MISSED_OBJECT, Kind.LATE_DETECTION, Kind.GAP})
PHANTOM_KINDS = frozenset({Kind.PHANTOM, Kind.OVERCONFIDENT})


@dataclass(frozen=True, slots=True)
class Scene:
    """A finding at its worst frame, as the run has it."""

    folder: Path
    header: RunHeader
    finding: Finding
    role: Role
    target: Target
    moment: Moment


def is_explained(finding: Finding) -> bool:
    """Say whether there is something to explain: a missed or a phantom object."""
    return finding.kind in MISSED_KINDS | PHANTOM_KINDS and bool(finding.objects)


def read_scene(reader: RunReader, number: int, role: Role | None = None) -> Scene:
    """Find a finding by its number; `role` asks another model than the one it is about. Raises CallWrong."""
    finding = next((one for one in reader.findings() if one.number == number), None)
    name = reader.folder.name
    if finding is None:
        raise CallWrong(f"{name} has no finding {number}; `hilgui findings {name}` lists them")
    if not is_explained(finding):
        kinds = MISSED_KINDS | PHANTOM_KINDS
        what = "about no single object" if finding.kind in kinds else finding.kind.value
        known = ", ".join(sorted(kind.value for kind in kinds))
        raise CallWrong(f"finding {number} of {name} is {what}: missed and phantom objects are explained ({known})")
    role = role or finding.role
    header = reader.header
    if role is None or role not in header.models:
        raise CallWrong(f"{name} has no {role or 'model'} to ask; name one it has: --model-role")
    facts = header.models[role]
    if facts.task != Task.DETECTION:
        raise CallWrong(f"the {role.value} of {name} answers {facts.task}; detectors are explained")
    found = finding.objects[0]
    names = header.vocabulary.names
    if found.label not in names or found.label not in facts.classes:
        raise CallWrong(f"the {role.value} of {name} knows no class {found.label!r}: it cannot show one")
    moment = reader.moment(finding.worst_seq)
    if moment is None:
        raise CallWrong(f"frame {finding.worst_seq} of {name}, at which finding {number} is worst, is not stored")
    is_missed = finding.kind in MISSED_KINDS
    target = Target(found.box, found.label, names.index(found.label), is_missed, facts.threshold)
    return Scene(reader.folder, header, finding, role, target, moment)


class Pictures:
    """The pictures of a run: decoded again from its recording, else those that were kept beside it. One thread."""

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self._source: FrameSource | None = None
        self.problem = ""  # why the recording is not used
        source = reader.header.source
        if source.live:
            self.problem = "the run saw a camera"
            return
        try:
            opened = source_again(source)
            facts = opened.open()
        except HilguiError as failure:
            self.problem = str(failure)
            return
        known = dict(source.recordings)
        if any(known.get(path, digest) != digest for path, digest in facts.recordings.items()):
            opened.close()
            self.problem = f"{source.path} is not the recording of this run any more"
            return
        self._source = opened

    def at(self, seq: int) -> Image | None:
        """Give a frame as the model saw it, from a JPEG nearly so; None where there is none."""
        if self._source is not None:
            return self._source.frame_at(seq).image
        kept = self._reader.picture(seq)
        image = None if kept is None else cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
        return None if image is None else image.astype(np.uint8, copy=False)

    def must(self, seq: int) -> Image:
        """Give a frame; raises SourceBroken where it is gone."""
        image = self.at(seq)
        if image is None:
            folder = self._reader.folder
            raise SourceBroken(
                f"there is no picture of frame {seq}: {self.problem}, and none was kept in {folder}; "
                "bring the recording back, or `hilgui runs relink`",
                path=folder,
            )
        return image

    def close(self) -> None:
        """Let go of the recording."""
        if self._source is not None:
            self._source.close()


def open_model(scene: Scene, provider: str) -> tuple[Model, NDArray[np.int32]]:
    """Open the very model of the run, and the common number of each of its classes; raises ModelBroken."""
    facts = scene.header.models[scene.role]
    path = Path(facts.path)
    if not path.is_file():
        raise ModelBroken(
            f"the {scene.role.value} of {scene.header.run_id} was {path}, which is gone; bring it back", path=path
        )
    try_before_first_use(path)
    model = Model.load(path, provider=provider)
    if model.facts.sha256 != facts.sha256:
        model.close()
        raise ModelBroken(
            f"{path} is not the model of {scene.header.run_id} any more (its content has changed); bring the file of "
            "the run back, or replay the drive with this one",
            path=path,
        )
    number = {name: place for place, name in enumerate(scene.header.vocabulary.names)}
    return model, np.array([number.get(name, NO_CLASS) for name in model.classes], np.int32)


def read_run(folder: Path) -> closing[RunReader]:
    """Open a run for a with statement."""
    return closing(RunReader(folder))
