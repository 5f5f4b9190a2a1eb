"""The same truth in seven formats: every importer tells the same 273 boxes, within the rounding of its format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui.truth import Labels, read_labels
from hilgui.truth.image_size import sizes_of, stem

# The largest difference to Pascal VOC's whole pixels, in pixels, that the digits of a format allow.
ROUNDING_PX = {
    "coco_format_v1": 0.0,
    "coco_format_v2": 0.0,
    "cvat_format": 0.0,
    "imagenet_format": 0.0,
    "openimages_format": 5e-11 * 500,  # ten decimals of a share of at most 500 px
    "pascalvoc_format": 0.0,
    "yolo_format": 2 * 5e-7 * 500,  # six decimals, of the centre and of half the size
}


def boxes(labels: Labels) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """Give name and box of every object by image, in one order for all formats."""
    told = {}
    for frame in labels.frames:
        assert frame.truth is not None
        rows = zip(frame.truth.classes.tolist(), frame.truth.boxes.tolist(), strict=True)
        told[stem(frame.key)] = sorted((labels.names[k], tuple(box)) for k, box in rows)
    return told


@pytest.mark.parametrize("folder", ROUNDING_PX)
def test_all_importers_agree(shared_data: Path, folder: str) -> None:
    root = shared_data / "eval_vectors" / "rafaelpadilla_database" / "gts"
    reference = boxes(read_labels(root / "pascalvoc_format"))
    labels = read_labels(root / folder, sizes_of(read_labels(root / "pascalvoc_format")))
    told = boxes(labels)
    assert len(labels.names) == 20
    assert told.keys() == reference.keys()
    assert sum(map(len, told.values())) == 273
    for image, objects in reference.items():
        ours = _paired(objects, told[image])
        assert [name for name, _ in ours] == [name for name, _ in objects]
        gaps = np.abs(np.array([box for _, box in ours]) - np.array([box for _, box in objects]))
        assert gaps.max() <= ROUNDING_PX[folder] + 1e-9, image


def _paired(
    objects: list[tuple[str, tuple[float, ...]]], told: list[tuple[str, tuple[float, ...]]]
) -> list[tuple[str, tuple[float, ...]]]:
    """Put the boxes of a rounding format into the order of the reference: the nearest of the same name, each once."""
    rest = list(told)
    paired = []
    for name, box in objects:
        nearest = min(
            rest, key=lambda each: (each[0] != name, max(abs(a - b) for a, b in zip(each[1], box, strict=True)))
        )
        rest.remove(nearest)
        paired.append(nearest)
    return paired


def test_the_38_difficult_objects_of_pascal_voc_are_not_counted(shared_data: Path) -> None:
    labels = read_labels(shared_data / "eval_vectors" / "rafaelpadilla_database" / "gts" / "pascalvoc_format")
    assert sum(int(frame.truth.ignore.sum()) for frame in labels.frames if frame.truth is not None) == 38
