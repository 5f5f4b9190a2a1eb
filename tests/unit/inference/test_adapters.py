from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui import plugins
from hilgui.inference import Model
from hilgui.inference.adapters.yolox import Yolox
from hilgui.inference.protocol import Layout, Recognised, Refusal, Signature, Tensor
from hilgui.inference.recognition import GROUP

from .tiny import Tiny

PICTURE = Tensor("images", (1, 3, 64, 96), "tensor(float)")
CELLS = 8 * 12 + 4 * 6 + 2 * 3


def layout(count: int) -> Layout:
    return Layout(Signature((PICTURE,), ()), "images", 96, 64, count)


def test_every_adapter_loads_and_has_the_name_it_is_announced_by() -> None:
    loaded = plugins.load(GROUP)

    assert {"deimv2", "dense_boxes", "yolox", "yolov8", "segmentation"} <= set(loaded)
    assert all(plugin.target.name == name for name, plugin in loaded.items() if plugin.target is not None)
    assert not [plugin.reason for plugin in loaded.values() if plugin.reason]


@pytest.mark.parametrize(
    ("row", "box"),
    [
        (0, (-4, -4, 4, 4)),
        (13, (4, 4, 12, 12)),
        (96 + 7, (8, 8, 24, 24)),
        (96 + 24 + 4, (16, 16, 48, 48)),
    ],
)
def test_yolox_counts_its_cells_row_by_row_from_fine_to_coarse(row: int, box: tuple[float, ...]) -> None:
    table = np.zeros((1, CELLS, 7), np.float32)
    table[0, row, 4:] = (0.8, 0.5, 0.0)

    found = Yolox(layout(2)).decode([table])

    assert found.boxes.tolist() == [list(box)]
    assert found.scores.tolist() == pytest.approx([0.4])
    assert found.classes.tolist() == [0]


def test_yolox_counts_a_size_that_overflows_as_invalid() -> None:
    table = np.zeros((1, CELLS, 7), np.float32)
    table[0, 3] = (0, 0, 200, 0, 0.9, 0.9, 0.9)
    table[0, 5] = (0, 0, 0, 0, np.nan, 0.9, 0.9)

    found = Yolox(layout(2)).decode([table])

    assert (len(found.scores), found.invalid) == (0, 2)


def test_yolox_is_known_by_its_rows_not_by_names() -> None:
    output = Tensor("758", (1, CELLS, 85), "tensor(float)")

    look = Yolox.recognise(Signature((PICTURE,), (output,)), named=False)

    assert isinstance(look, Recognised)
    assert (look.count, look.names[:2]) == (80, ("person", "bicycle"))


def test_rows_that_vary_are_believed_only_when_the_card_names_the_adapter() -> None:
    signature = Signature((PICTURE,), (Tensor("output", (1, None, 7), "tensor(float)"),))

    assert isinstance(Yolox.recognise(signature, named=True), Recognised)
    look = Yolox.recognise(signature, named=False)
    assert isinstance(look, Refusal)
    assert look.close


def deimv2(labels: object, boxes: object, scores: object, batch: bool) -> Tiny:
    def axis(value: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return value[None] if batch else value

    return Tiny(
        {
            "labels": axis(np.array(labels, np.int64)),
            "boxes": axis(np.array(boxes, np.float32)),
            "scores": axis(np.array(scores, np.float32)),
        },
        picture="images",
        picture_shape=("N", 3, 48, 64),
        sizes=True,
    )


@pytest.mark.parametrize("batch", [True, False])
def test_deimv2_reads_its_queries_with_or_without_a_batch(tmp_path: Path, batch: bool) -> None:
    tiny = deimv2([2, 0, 80], [[0, 0, 64, 48], [8, 8, 16, 16], [1, 1, 9, 9]], [0.7, 0.9, 0.8], batch)
    model = Model.load(tiny.write(tmp_path / "deim.onnx"), provider="cpu")

    found = model.infer(np.zeros((96, 64, 3), np.uint8), model.workspace())

    assert found.detections.boxes.tolist() == [[8, 16, 16, 32], [0, 0, 64, 96]]
    assert [model.classes[number] for number in found.detections.classes] == ["person", "car"]
    assert found.invalid == 1
    assert model.facts.nms_iou is None
