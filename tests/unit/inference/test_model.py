from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from hilgui.errors import CallWrong, ModelBroken, PluginBroken, ProviderMissing
from hilgui.inference import Model
from hilgui.inference.adapters.dense_boxes import DenseBoxes
from hilgui.inference.execution import CPU, CUDA
from hilgui.inference.providers import what_is_missing

from .tiny import Tiny, dense

GREY = np.full((96, 128, 3), 90, np.uint8)
TWO = dense([[8, 8, 24, 40], [30, 10, 60, 40]], [[0.9, 0.01], [0.02, 0.2]])


def load(path: Path) -> Model:
    return Model.load(path, provider="cpu")


def card(model: Path, text: str) -> None:
    model.with_suffix(".yaml").write_text(f"schema: hilgui/model.v1\n{text}", encoding="utf-8")


def test_a_model_finds_its_boxes_in_pixels_of_the_picture(tmp_path: Path) -> None:
    model = load(TWO.write(tmp_path / "two.onnx"))

    found = model.infer(GREY, model.workspace())

    assert found.detections.boxes[:2].tolist() == [[16, 16, 48, 80], [60, 20, 120, 80]]
    assert found.detections.scores.tolist() == pytest.approx([0.9, 0.2, 0.02, 0.01])
    assert found.detections.classes.tolist() == [0, 1, 0, 1]
    assert min(found.preprocess_ns, found.run_ns, found.postprocess_ns) > 0


def test_the_facts_say_what_ran(tmp_path: Path) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    facts = load(path).facts

    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts.name, facts.adapter, facts.provider, facts.card) == ("two", "dense_boxes", CPU, "")
    assert (facts.input_width, facts.input_height, facts.classes) == (64, 48, ("person", "car"))
    assert facts.device


def test_threads_share_one_model(tmp_path: Path) -> None:
    model = load(TWO.write(tmp_path / "two.onnx"))
    pictures = [np.full((60 + 10 * number, 128, 3), 90, np.uint8) for number in range(4)]
    alone = [model.infer(picture, model.workspace()).detections.boxes.tolist() for picture in pictures]
    together: dict[int, list[list[list[float]]]] = {}

    def work(number: int) -> None:
        workspace = model.workspace()
        together[number] = [model.infer(pictures[number], workspace).detections.boxes.tolist() for _ in range(30)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert together == {number: [alone[number]] * 30 for number in range(4)}


def test_what_is_not_a_number_is_left_out_and_counted(tmp_path: Path) -> None:
    tiny = dense([[8, 8, 24, 40], [np.nan, 10, 60, 40], [9, 9, 9, 20]], [[0.9, 0], [0.8, 0], [0.7, 0]])
    model = load(tiny.write(tmp_path / "odd.onnx"))

    found = model.infer(GREY, model.workspace())

    assert (len(found.detections), found.invalid) == (1, 2)


def test_a_closed_model_says_so(tmp_path: Path) -> None:
    model = load(TWO.write(tmp_path / "two.onnx"))
    workspace = model.workspace()
    model.close()
    model.close()

    with pytest.raises(ValueError, match="closed"):
        model.infer(GREY, workspace)


def test_a_card_overrules_the_adapter(tmp_path: Path) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    card(path, "name: Two\nclasses: [walker, van]\nthresholds: {score: 0.5, nms_iou: 1}\nlicence: MIT\n")

    model = load(path)

    assert model.classes == ("walker", "van")
    assert (model.threshold, model.facts.nms_iou, model.facts.name) == (0.5, 1.0, "Two")
    assert model.facts.card == str(path.with_suffix(".yaml"))


def test_a_card_from_elsewhere_is_used_when_named(tmp_path: Path) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    other = tmp_path / "other.onnx"
    card(other, "classes: [a, b]\n")

    assert Model.load(path, provider="cpu", card=other.with_suffix(".yaml")).classes == ("a", "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"sha256: {'f' * 64}\n", "belongs to another file"),
        ("adapter: yolo9000\n", "'yolo9000'; there are classification, deimv2"),
        ("adapter: deimv2\n", "names the adapter deimv2, but it has no output named labels"),
        ("parameters: {unit: false}\n", "parameters are those of an adapter"),
        ("adapter: ssd\nparameters: {unite: false}\n", "parameters.unite: Extra inputs.*takes background, unit"),
        ("adapter: yolox\nparameters: {a: 1}\n", "parameters.a: .* adapter yolox takes none"),
        ("input: {width: 65}\n", "says width 65, the file says 64"),
        ("classes: [a, b, c]\n", "gives 2 classes, its card names 3"),
    ],
)
def test_a_card_that_contradicts_the_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    card(path, text)

    with pytest.raises(ModelBroken, match=said):
        load(path)


def test_a_size_that_the_file_leaves_open_comes_from_the_card(tmp_path: Path) -> None:
    path = dense([[0, 0, 320, 240]], [[0.9, 0]], picture_shape=(1, 3, "h", "w")).write(tmp_path / "open.onnx")

    with pytest.raises(ModelBroken, match="takes pictures of any width"):
        load(path)

    card(path, "input: {width: 640, height: 480}\n")
    model = load(path)
    assert model.infer(GREY, model.workspace()).detections.boxes.tolist() == [[0, 0, 64, 48]]


def test_outputs_that_are_not_what_the_file_declares_are_found_at_once(tmp_path: Path) -> None:
    tiny = dense([[0, 0, 9, 9]] * 5, [[0.9, 0]] * 5, open=("boxes",))

    with pytest.raises(ModelBroken, match=r"outputs are not those of adapter dense_boxes.*\(1, 3, 4\) and \(1, 5, 2\)"):
        load(tiny.write(tmp_path / "lie.onnx"))


UNKNOWN = [
    (Tiny({"detections": np.zeros((5, 7), np.float32)}), "no adapter knows the tensors", "detections (5 x 7)"),
    (
        dense([[0, 0, 9, 9]], [[0.9, 0]], picture="data"),
        "close were dense_boxes: its input is called data",
        "name one in a card odd.yaml",
    ),
    (dense([[0, 0, 9, 9]], [[0.9, 0]], picture_shape=(4, 3, 48, 64)), "its batch is 4", ""),
    (dense([[0, 0, 9, 9]], [[0.9, 0]], picture_type=TensorProto.FLOAT16), "float16), not float32", ""),
    (dense([[0, 0, 9, 9]], [[0.9, 0]], names=()), "does not name its 2 classes", "odd.yaml"),
    (dense([[0, 0, 9, 9]], [[0.9, 0]], names=("one",)), "gives 2 classes, the file names 1", ""),
    (Tiny({"output": np.zeros((1, 100, 85), np.float32)}), "100 rows, at 64 x 48 YOLOX has 62", ""),
    (Tiny({"bad\nname": np.zeros((1, 2, 2, 2, 2), np.float32)}), r"'bad\nname'", ""),
]


@pytest.mark.parametrize(("tiny", "said", "also"), UNKNOWN, ids=[said for _, said, _ in UNKNOWN])
def test_a_model_that_no_adapter_knows_is_refused_with_what_came_close(
    tmp_path: Path, tiny: Tiny, said: str, also: str
) -> None:
    path = tiny.write(tmp_path / "odd.onnx")

    with pytest.raises(ModelBroken) as caught:
        load(path)

    sentence = str(caught.value)
    assert str(path) in sentence
    assert said in sentence
    assert also in sentence
    assert "\n" not in sentence


def test_an_adapter_that_raises_is_a_broken_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("tensor")

    monkeypatch.setattr(DenseBoxes, "decode", fail)

    with pytest.raises(PluginBroken, match=r"adapter dense_boxes failed on model .*KeyError"):
        load(TWO.write(tmp_path / "two.onnx"))


def test_an_unknown_provider_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match="'rocm' is not one of auto, cpu, cuda, tensorrt"):
        Model.load(TWO.write(tmp_path / "two.onnx"), provider="rocm")


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_provider_that_was_asked_for_runs_or_is_missing_never_replaced(tmp_path: Path, provider: str) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    try:
        used = Model.load(path, provider=provider).facts.provider
    except ProviderMissing as missing:
        assert f"{provider} was asked for and cannot be used: " in str(missing)
    else:
        assert used != CPU


def test_asking_for_a_gpu_says_nothing_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = TWO.write(tmp_path / "two.onnx")
    for provider in ("auto", "cuda", "tensorrt"):
        try:
            Model.load(path, provider=provider)
        except ProviderMissing:
            continue

    assert capfd.readouterr() == ("", "")


def test_a_broken_model_is_blamed_on_the_model_whatever_the_provider(tmp_path: Path) -> None:
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"noise" * 100)

    with pytest.raises(ModelBroken, match="not a model"):
        Model.load(path, provider="cuda")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hilgui.inference.providers.gpu_name", lambda: "Test GPU")
    monkeypatch.setattr(
        "hilgui.inference.providers.onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"]
    )

    assert "hilgui[cuda]" in what_is_missing(CUDA)
