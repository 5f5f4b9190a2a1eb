"""Adapters read tables that were written by hand, and tell each other's apart."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.inference import ultralytics
from hilgui.inference.adapters.classification import Classifier
from hilgui.inference.adapters.depth import DepthMap, DepthParameters
from hilgui.inference.adapters.end_to_end import EndToEnd, EndToEndParameters
from hilgui.inference.adapters.fastestdet import Fastestdet
from hilgui.inference.adapters.lstr import Lstr
from hilgui.inference.adapters.nanodet import Nanodet
from hilgui.inference.adapters.segmentation import Segmenter, SegmenterParameters, TwinLiteNet
from hilgui.inference.adapters.ssd import Ssd, SsdParameters
from hilgui.inference.adapters.yolov5 import Yolov5
from hilgui.inference.adapters.yolov8 import Yolov8
from hilgui.inference.candidates import Candidates
from hilgui.inference.protocol import Layout, Parameters, Recognised, Refusal, Signature, Tensor
from hilgui.inference.recognition import look_all
from hilgui.records import DepthUnit

FLOAT = "tensor(float)"
PICTURE = Tensor("images", (1, 3, 64, 96), FLOAT)
CELLS = 8 * 12 + 4 * 6 + 2 * 3
NAMES = {"names": "{0: 'person', 1: \"driver's van\"}", "stride": "32", "task": "detect"}


def signed(
    *outputs: tuple[int | str, ...], metadata: dict[str, str] | None = None, **named: tuple[int | str, ...]
) -> Signature:
    tensors = [Tensor(f"out{number}", shape, FLOAT) for number, shape in enumerate(outputs)]
    tensors += [Tensor(name, shape, FLOAT) for name, shape in named.items()]
    return Signature((PICTURE,), tuple(tensors), metadata or {})


def layout(
    signature: Signature, count: int, parameters: Parameters | None = None, names: tuple[str, ...] = ()
) -> Layout:
    return Layout(signature, "images", 96, 64, count, names, parameters or Parameters())


def fitting(signature: Signature) -> list[str]:
    return [name for name, look in look_all(signature).items() if isinstance(look, Recognised)]


SIGNATURES = [
    (signed((1, CELLS, 85)), "yolox"),
    (signed((1, CELLS, 7)), "yolox"),
    (signed((1, CELLS, 84)), "yolov8"),
    (signed((1, CELLS, 6), metadata=NAMES), "yolov8"),
    (signed((1, 6, CELLS)), "yolov8"),
    (signed((1, 38, CELLS), (1, 32, 16, 24)), "yolov8"),
    (signed((1, 3 * CELLS, 85), (1, 3, 8, 12, 85), (1, 3, 4, 6, 85), (1, 3, 2, 3, 85)), "yolov5"),
    (signed((1, 300, 6), metadata=NAMES), "end_to_end"),
    (signed(output0=(1, 300, 6)), "end_to_end"),
    (signed((1, 85, 4, 6)), "fastestdet"),
    (signed((1, 1000)), "classification"),
    (signed(da=(1, 2, 64, 96), ll=(1, 2, 64, 96)), "twinlitenet"),
    (signed(pred_logits=(1, 7, 2), pred_curves=(1, 7, 8)), "lstr"),
    (
        signed(**{f"{kind}_{stride}": (1, 6144 // stride**2, 32) for stride in (8, 16, 32) for kind in ("cls", "dis")}),
        "nanodet",
    ),
]


@pytest.mark.parametrize(
    ("signature", "adapter"), SIGNATURES, ids=[f"{adapter}{n}" for n, (_, adapter) in enumerate(SIGNATURES)]
)
def test_every_layout_has_one_adapter(signature: Signature, adapter: str) -> None:
    assert fitting(signature) == [adapter]


CLOSE = [
    (signed(("n", 7)), "end_to_end", "nothing says how the network wants its picture"),
    (signed((1, 56, CELLS), metadata=NAMES | {"task": "pose"}), "yolov8", "the task pose"),
    (signed((1, 4, 64, 96)), "segmentation", "nothing says how it wants its picture"),
    (signed(boxes=(1, 10, 4), scores=(1, 10, 2)), "ssd", "does not have the priors of UltraFace"),
    (signed(depth=(1, 1, 64, 96)), "depth", "nothing says what the numbers"),
    (signed(("a", "b", "c")), "yolov8", "cannot be counted"),
]


@pytest.mark.parametrize(("signature", "adapter", "why"), CLOSE, ids=[adapter for _, adapter, _ in CLOSE])
def test_what_is_not_certain_is_refused_as_close(signature: Signature, adapter: str, why: str) -> None:
    look = look_all(signature)[adapter]

    assert fitting(signature) == []
    assert isinstance(look, Refusal)
    assert look.close
    assert why in look.why


def test_names_of_an_export_are_read_and_never_run() -> None:
    said = ultralytics.export(NAMES)

    assert said is not None
    assert said.names == ("person", "driver's van")
    for text in (
        "__import__('os')",
        "{0: 'a', 2: 'b'}",
        "{0: 'a', 0: 'b'}",
        "{0: open('x')}",
        "{" * 5000,
        "['a']",
        "{0: 'a",
    ):
        assert ultralytics.names(text) == ()


def row(values: list[float], rows: int, place: int) -> np.ndarray:  # type: ignore[type-arg]
    table = np.zeros((1, rows, len(values)), np.float32)
    table[0, place] = values
    return table


def told(found: Candidates) -> tuple[list[list[float]], list[float], list[int], int]:
    return (
        found.boxes.round(3).tolist(),
        found.scores.astype(float).round(3).tolist(),
        found.classes.tolist(),
        found.invalid,
    )


def test_yolov5_reads_middle_and_size() -> None:
    signature = signed((1, 3 * CELLS, 7))

    found = Yolov5(layout(signature, 2)).decode([row([30, 20, 20, 10, 0.8, 0.5, 0], 3 * CELLS, 5)])

    assert told(found) == ([[20, 15, 40, 25]], [0.4], [0], 0)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("masks", [0, 32])
def test_yolov8_reads_either_order_and_leaves_masks_alone(is_first: bool, masks: int) -> None:
    table = row([30, 20, 20, 10, 0.1, 0.75, *[5.0] * masks], CELLS, 9)
    signature = signed((1, 6 + masks, CELLS), *([(1, 32, 16, 24)] if masks else []))

    found = Yolov8(layout(signature, 2)).decode([np.ascontiguousarray(table.transpose(0, 2, 1)) if is_first else table])

    boxes, scores, classes, invalid = told(found)
    assert boxes == [[20, 15, 40, 25]] * 2
    assert sorted(zip(scores, classes, strict=True)) == [(0.1, 0), (0.75, 1)]
    assert invalid == 0


def test_finished_boxes_in_the_order_that_the_card_names() -> None:
    columns = ("batch", "x1", "y1", "x2", "y2", "class", "score")
    signature, parameters = signed(("n", 7)), EndToEndParameters(columns=columns)

    found = EndToEnd(layout(signature, 3, parameters)).decode(
        [np.array([[0, 1, 2, 30, 40, 2, 0.5], [0, 1, 2, 30, 40, 3, 0.5], [0, 1, 2, 30, 40, np.nan, 0.5]], np.float32)]
    )

    assert told(found) == ([[1, 2, 30, 40]], [0.5], [2], 2)


@pytest.mark.parametrize("columns", [("x1", "y1"), ("x1", "y1", "x2", "y2", "score", "score")])
def test_columns_that_are_not_complete_are_refused(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="columns are x1"):
        EndToEndParameters(columns=columns)


def test_no_rows_at_all_are_no_boxes() -> None:
    signature = signed(("n", 7))

    assert told(EndToEnd(layout(signature, 3, EndToEndParameters())).decode([np.empty((0, 7), np.float32)]))[0] == []


@pytest.mark.parametrize(("unit", "background"), [(True, True), (False, False)])
def test_ssd_as_its_parameters_say(unit: bool, background: bool) -> None:
    signature = signed(boxes=(1, 1, 4), scores=(1, 1, 2))
    parameters = SsdParameters(unit=unit, background=background)
    box = [0.25, 0.5, 0.5, 1.0] if unit else [24, 32, 48, 64]
    scores = [[0.1, 0.9]]

    found = Ssd(layout(signature, 1 if background else 2, parameters)).decode(
        [np.array([[box]], np.float32), np.array([scores], np.float32)]
    )

    assert found.boxes.tolist() == [[24, 32, 48, 64]] * len(found.scores)
    assert found.classes.tolist() == ([0] if background else [0, 1])


def test_nanodet_takes_the_expectation_of_its_bins() -> None:
    shapes = {
        f"{kind}_{stride}": (1, 6144 // stride**2, 16 if kind == "dis" else 3)
        for stride in (8, 16, 32)
        for kind in ("cls", "dis")
    }
    tables = [np.zeros(shape, np.float32) for shape in shapes.values()]
    tables[2][0, 7, 1] = 0.6  # stride 16, row 1, column 1
    tables[3][0, 7] = np.log([1e-9, 1, 1e-9, 1e-9] * 4)  # one stride to every side

    found = Nanodet(layout(signed(**shapes), 3)).decode(tables)

    assert told(found) == ([[7.5, 7.5, 39.5, 39.5]], [0.6], [1], 0)


def test_fastestdet_weighs_objectness_and_class() -> None:
    table = np.zeros((1, 7, 4, 6), np.float32)
    table[0, :, 2, 3] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)

    found = Fastestdet(layout(signed((1, 7, 4, 6)), 2)).decode([table])

    assert told(found) == ([[24, 16, 72, 48]], [pytest.approx(0.758, abs=1e-3)], [0], 0)


@pytest.mark.parametrize(("values", "scores"), [([0.0, np.log(3)], [0.25, 0.75]), ([0.1, 0.9], [0.1, 0.9])])
def test_a_classifier_gives_probabilities_whatever_it_is_given(values: list[float], scores: list[float]) -> None:
    model = Classifier(layout(signed((1, 2)), 2, Classifier.parameters()))

    assert model.decode([np.array([values], np.float32)]).scores.tolist() == pytest.approx(scores)


@pytest.mark.parametrize("kind", ["nchw", "nhwc", "labels", "binary"])
def test_a_map_of_classes_in_any_layout(kind: str) -> None:
    labels = np.zeros((64, 96), np.int64)
    labels[10:20, 30:50] = 1 if kind == "binary" else 2
    hot = np.eye(3, dtype=np.float32)[labels]
    table = {"nchw": hot.transpose(2, 0, 1), "nhwc": hot, "labels": labels, "binary": labels[None] * 0.8}[kind][None]
    signature = signed(table.shape)

    read = Segmenter(layout(signature, 3, SegmenterParameters(), ("a", "b", "c"))).decode([table])

    assert (read.maps[0].labels == labels).all()


def test_two_heads_are_read_by_name() -> None:
    signature = signed(da=(1, 2, 64, 96), ll=(1, 2, 64, 96))
    nothing, all_over = np.zeros((1, 2, 64, 96), np.float32), np.zeros((1, 2, 64, 96), np.float32)
    nothing[:, 0] = all_over[:, 1] = 1

    read = TwinLiteNet(layout(signature, 3)).decode([nothing, all_over])

    assert [(each.head, int(each.labels.max())) for each in read.maps] == [("da", 0), ("ll", 1)]


def test_a_curve_that_is_rather_no_lane_is_left_out() -> None:
    signature = signed(pred_logits=(1, 2, 2), pred_curves=(1, 2, 8))
    curves = np.zeros((1, 2, 8), np.float32)
    curves[0, :, :2] = (0.5, 1.0)
    curves[0, :, 3] = -1
    curves[0, :, 5] = 0.25

    read = Lstr(layout(signature, 1)).decode([np.array([[[0, 2], [2, 0]]], np.float32), curves])

    assert len(read.lines) == 1
    assert read.lines[0][[0, -1]].tolist() == [[24, 64], [24, 32]]


def test_depth_comes_in_its_unit() -> None:
    parameters = DepthParameters(unit=DepthUnit.METRES, scale=0.001)

    read = DepthMap(layout(signed((1, 1, 2, 2)), 0, parameters)).decode([np.full((1, 1, 2, 2), 1500, np.float32)])

    assert (read.unit, read.values.round(3).astype(float).round(3).tolist()) == ("metres", [[1.5, 1.5], [1.5, 1.5]])


@pytest.mark.parametrize(
    ("adapter", "signature", "parameters"),
    [
        (Yolov5, signed((1, 3 * CELLS, 7)), Parameters()),
        (Yolov8, signed((1, 6, CELLS)), Parameters()),
        (EndToEnd, signed((1, 300, 6)), EndToEndParameters()),
        (Ssd, signed(boxes=(1, 1, 4), scores=(1, 1, 2)), SsdParameters()),
        (Fastestdet, signed((1, 7, 4, 6)), Parameters()),
        (Lstr, signed(pred_logits=(1, 2, 2), pred_curves=(1, 2, 8)), Parameters()),
        (DepthMap, signed((1, 1, 2, 2)), DepthParameters()),
        (Segmenter, signed((1, 3, 64, 96)), SegmenterParameters()),
        (Classifier, signed((1, 2)), Classifier.parameters()),
    ],
)
def test_shapes_that_do_not_fit_are_a_value_error(adapter: type, signature: Signature, parameters: Parameters) -> None:
    wrong = [np.zeros((2, 3, 5), np.float32)] * len(signature.outputs)

    with pytest.raises(ValueError, match="this network gave"):
        adapter(layout(signature, 2, parameters, ("a", "b"))).decode(wrong)
