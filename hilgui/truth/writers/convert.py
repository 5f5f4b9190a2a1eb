"""From labels of any format to files of another."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS
from hilgui.truth.classmap import ClassMap
from hilgui.truth.protocol import Labels, Sizes
from hilgui.truth.vocabulary import relabel
from hilgui.truth.writers.coco import write_coco
from hilgui.truth.writers.cvat import write_cvat
from hilgui.truth.writers.kitti import write_kitti
from hilgui.truth.writers.mot import write_mot
from hilgui.truth.writers.openlabel import write_openlabel
from hilgui.truth.writers.target import Target
from hilgui.truth.writers.voc import write_voc
from hilgui.truth.writers.yolo import write_yolo

# Adds the files to the target and says what they do not hold.
Writer = Callable[[Labels, Target, Sizes | None], list[str]]

_WRITERS: dict[str, Writer] = {
    "coco": write_coco,
    "cvat": write_cvat,
    "kitti": write_kitti,
    "mot": write_mot,
    "openlabel": write_openlabel,
    "voc": write_voc,
    "yolo": write_yolo,
}


_OTHER_NAMES = {"voc": ("pascal", "imagenet"), "coco": ("json",), "openlabel": ("asam",)}


@dataclass(frozen=True, slots=True)
class Converted:
    """What one conversion did."""

    out: Path
    files: int
    frames: int
    objects: int  # written; what the labels held more was left out
    read: int  # objects of the labels
    lost: tuple[str, ...]  # a sentence for each kind of thing that the format does not hold


def writer_names() -> tuple[str, ...]:
    """Name the formats that can be written."""
    return tuple(_WRITERS)


def convert_labels(
    labels: Labels,
    out: Path,
    form: str,
    *,
    sizes: Sizes | None = None,
    class_map: ClassMap | None = None,
    force: bool = False,
) -> Converted:
    """Write labels in another format; raises CallWrong for a call that cannot be met, BenchBroken for the disk.

    `coco`, `cvat`, `mot` and `openlabel` are one file; `kitti`, `voc` and `yolo` a folder. With a class map, classes
    that it leaves out become ignore regions, as they do in a run.
    """
    if form not in _WRITERS:
        raise CallWrong(_no_format(form))
    if class_map is not None:
        labels = _mapped(labels, class_map)
    target = Target(out)
    sentences = _WRITERS[form](labels, target, sizes)
    target.write(force=force)
    truths = [frame.truth for frame in labels.frames if frame.truth is not None]
    read = sum(len(truth) for truth in truths)
    return Converted(out, len(target.files), len(truths), target.objects, read, tuple(sentences))


def _no_format(form: str) -> str:
    """Say that nobody writes a format, and which was meant."""
    name = form.casefold()
    near = next((each for each in _WRITERS if each in name or name in _OTHER_NAMES.get(each, ())), None)
    near = near or next(iter(difflib.get_close_matches(name, _WRITERS, n=1, cutoff=0.6)), None)
    meant = f", did you mean {near}?" if near else ";"
    return f"there is no format {form!r} to convert to{meant} choose one of {', '.join(_WRITERS)}"


def _mapped(labels: Labels, class_map: ClassMap) -> Labels:
    names = tuple(dict.fromkeys(class_map.classes.values()))
    by_key = {label.casefold(): names.index(target) for label, target in class_map.classes.items()}
    table = np.array([by_key.get(name.casefold(), NO_CLASS) for name in labels.names], np.int32)
    frames = tuple(
        frame if frame.truth is None else replace(frame, truth=relabel(frame.truth, table)) for frame in labels.frames
    )
    return replace(labels, names=names, frames=frames)
