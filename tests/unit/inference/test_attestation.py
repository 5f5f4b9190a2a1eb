from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.errors import ModelBroken, ProviderMissing
from hilgui.inference import Model
from hilgui.inference.device import cuda_version, cudnn_version, nvinfer_version
from hilgui.inference.execution import CPU, Execution
from hilgui.inference.onnx_file import precision_of, read_onnx
from hilgui.inference.profile import read_profile
from hilgui.inference.session import open_session
from hilgui.records import Attestation, ModelFacts, RunHeader
from tests.flow.tiny import write_model

from .tiny import dense

ONE = dense([[0, 0, 9, 9]], [[0.9, 0.1]])


def test_a_model_tells_which_provider_took_its_nodes(tmp_path: Path) -> None:
    facts = Model.load(write_model(tmp_path / "one.onnx"), provider="cpu", threads=2).facts

    assert facts.attestation is not None
    assert facts.attestation.share == {CPU: 1.0}
    assert facts.attestation.options["intra_op_num_threads"] == "2"
    assert set(facts.attestation.libraries) == {"onnxruntime"}
    total = facts.attestation.nodes[CPU]
    assert total >= 1
    assert facts.runs_on == f"CPU · {total} of {total} nodes · fp32"


def test_nothing_is_left_of_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "temporary")

    Model.load(ONE.write(tmp_path / "one.onnx"), provider="cpu")

    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_profile_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(ModelBroken, match="cannot be read"):
        read_profile(path)
    assert not path.exists()


def test_a_header_with_an_attestation_comes_back_and_one_without_opens_too() -> None:
    attestation = Attestation({CPU: 8}, {CPU: 1.0}, "fp32", "", {"onnxruntime": "1.31.1"}, {"a": "1"})
    plain = json.loads(json.dumps(header(attestation).as_json()))

    back = RunHeader.from_json(plain)
    assert next(iter(back.models.values())).attestation == attestation
    del plain["staffing"]
    for model in plain["models"].values():
        del model["attestation"]
    old = next(iter(RunHeader.from_json(plain).models.values()))
    assert old.attestation is None
    assert old.runs_on == "CPU"


def header(attestation: Attestation) -> RunHeader:
    from hilgui.records import People, Role, SourceFacts, Vocabulary

    facts = ModelFacts(
        "night", "night.onnx", "0" * 64, "yolox", CPU, "CPU", 1, 0.3, 0.6, 64, 48, ("car",), attestation=attestation
    )
    source = SourceFacts("drive", "video", "drive.mp4", "0" * 64, 64, 48, 10.0, 5, True)
    return RunHeader(
        "run", "2026-01-01T00:00:00+00:00", "1", "", (), {}, {}, People(), source, None,
        {Role.BASELINE: facts}, Vocabulary(("car",), frozenset({0})), "max", 2, staffing="replay: 2 frames at once",
    )  # fmt: skip


def test_versions_as_the_libraries_write_them() -> None:
    assert cuda_version(13000) == "13.0"
    assert cudnn_version(91300) == "9.13.0"
    assert nvinfer_version(101303) == "10.13.3"


def test_the_precision_of_real_files(shared_data: Path) -> None:
    models = shared_data / "models"

    assert precision_of(read_onnx(models / "yolox_nano_416.onnx")) == "fp32"
    assert precision_of(read_onnx(models / "derived" / "yolox_nano_416_int8_qdq.onnx")) == "int8"


@pytest.mark.parametrize("provider", ["directml", "coreml"])
def test_a_provider_that_the_wheel_does_not_have(tmp_path: Path, provider: str) -> None:
    import onnxruntime

    from hilgui.inference.execution import CHAINS

    if CHAINS[provider][0] in onnxruntime.get_available_providers():
        pytest.skip(f"this onnxruntime has {provider}")
    with pytest.raises(ProviderMissing, match=r"this build of onnxruntime does not have it; .*--provider cpu"):
        Model.load(ONE.write(tmp_path / "one.onnx"), provider=provider)


def test_openvino_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openvino", None)

    with pytest.raises(ProviderMissing, match=r"pip install 'hilgui\[openvino\]'"):
        open_session(ONE.write(tmp_path / "one.onnx"), Execution("openvino"))


def test_openvino_gives_what_onnxruntime_gives(tmp_path: Path) -> None:
    import numpy as np

    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    path = ONE.write(tmp_path / "one.onnx")
    image = np.full((48, 64, 3), 90, np.uint8)
    models = [Model.load(path, provider=name) for name in ("cpu", "openvino")]

    one, two = (model.infer(image, model.workspace()).detections for model in models)

    assert models[1].facts.provider == "OpenVINO"
    np.testing.assert_allclose(one.boxes, two.boxes, atol=1e-3)
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-5)
