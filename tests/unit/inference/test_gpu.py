"""What only a CUDA device can show: `pytest -m gpu`. Each test says why where it cannot run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import HilguiError
from hilgui.inference import Model
from hilgui.inference.device import gpu_driver, gpu_name
from hilgui.inference.execution import CUDA, TENSORRT
from hilgui.inference.providers import what_is_missing

from .test_accuracy import measure

pytestmark = pytest.mark.gpu


def on(provider: str, path: Path, **asked: object) -> Model:
    if not gpu_name():
        pytest.skip(f"{provider}: {what_is_missing({'cuda': CUDA, 'tensorrt': TENSORRT}[provider])}")
    try:
        return Model.load(path, provider=provider, **asked)  # type: ignore[arg-type]
    except HilguiError as failure:
        if provider == "tensorrt":
            pytest.skip(str(failure))
        raise


@pytest.fixture
def yolox(shared_data: Path) -> Path:
    return shared_data / "models" / "yolox_nano_416.onnx"


def test_cuda_takes_the_time_and_says_on_what(yolox: Path) -> None:
    facts = on("cuda", yolox).facts

    assert facts.provider == CUDA
    assert facts.attestation is not None
    assert facts.attestation.share[CUDA] > 0.9
    assert facts.attestation.driver == gpu_driver() != ""
    assert {"onnxruntime", "cuda", "cudnn"} <= set(facts.attestation.libraries)
    assert facts.device == gpu_name()


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "cuda graph"])
def test_cuda_reaches_the_figure_of_the_cpu(shared_data: Path, yolox: Path, graph: bool) -> None:
    model = on("cuda", yolox, cuda_graph=graph)

    assert measure(model, shared_data / "images_gt" / "coco_val2017_100", 10)[0] == pytest.approx(0.405, abs=0.02)


def test_a_cuda_graph_sees_each_new_picture(yolox: Path) -> None:
    plain, graph = on("cuda", yolox), on("cuda", yolox, cuda_graph=True)
    for grey in (0, 60, 200):
        image = np.full((416, 416, 3), grey, np.uint8)
        image[100:200, 100:300] = 255 - grey
        one, two = (model.infer(image, model.workspace()).detections for model in (plain, graph))
        np.testing.assert_allclose(one.scores, two.scores, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["model", "fp16"])
def test_tensorrt_builds_its_engine_once(
    shared_data: Path, yolox: Path, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = on("tensorrt", yolox, precision=precision)

    assert model.facts.attestation is not None
    assert model.facts.attestation.share[TENSORRT] > 0.5
    assert measure(model, shared_data / "images_gt" / "coco_val2017_100", 10)[0] == pytest.approx(0.405, abs=0.03)
    engines = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.engine")}
    assert engines
    on("tensorrt", yolox, precision=precision)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.engine")} == engines
