from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import CallWrong, ProviderMissing
from hilgui.inference.execution import (
    CPU,
    CUDA,
    OPENVINO,
    TENSORRT,
    Engine,
    Execution,
    chain,
    computes_in,
    session_options,
)
from hilgui.inference.profile import nodes_of
from hilgui.inference.providers import check_known, check_share

ENGINE = Engine("ab" * 32, "10.13.3", "NVIDIA H100 80GB HBM3", "fp16")


def options(asked: Execution, name: str, computes: str = "fp32", engine: Path | None = None) -> dict[str, str]:
    return dict(chain(asked, name, computes, engine)[0][1])


def test_each_provider_has_the_cpu_behind_it_for_shape_operators() -> None:
    assert [name for name, _ in chain(Execution("tensorrt"), "tensorrt", "fp32")] == [TENSORRT, CUDA, CPU]
    assert [name for name, _ in chain(Execution("cuda"), "cuda", "fp32")] == [CUDA, CPU]
    assert chain(Execution("cpu"), "cpu", "fp32") == [(CPU, {})]


def test_values_of_options_are_text() -> None:
    asked = Execution("tensorrt", cuda_graph=True)

    for _, told in chain(asked, "tensorrt", "int8", Path("cache")):
        assert all(isinstance(value, str) for value in told.values())


@pytest.mark.parametrize(("computes", "flag"), [("fp16", "trt_fp16_enable"), ("int8", "trt_int8_enable")])
def test_tensorrt_is_told_the_precision(computes: str, flag: str) -> None:
    assert options(Execution("tensorrt"), "tensorrt", computes)[flag] == "1"
    assert options(Execution("tensorrt"), "tensorrt", "fp32")[flag] == "0"


def test_fp32_by_name_switches_tf32_off() -> None:
    assert options(Execution("cuda", "fp32"), "cuda")["use_tf32"] == "0"
    assert options(Execution("cuda"), "cuda")["use_tf32"] == "1"


def test_a_cuda_graph_belongs_to_the_provider_that_was_asked_for() -> None:
    asked = Execution("tensorrt", cuda_graph=True)
    tensorrt, cuda, _ = chain(asked, "tensorrt", "fp32")

    assert tensorrt[1]["trt_cuda_graph_enable"] == "1"
    assert "enable_cuda_graph" not in cuda[1]
    assert options(Execution("cuda", cuda_graph=True), "cuda")["enable_cuda_graph"] == "1"
    assert "enable_cuda_graph" not in options(Execution("cuda"), "cuda")


def test_the_cache_of_an_engine_is_named_by_model_version_device_and_precision(tmp_path: Path) -> None:
    folder = ENGINE.folder(tmp_path)

    assert folder.parent == tmp_path
    assert folder.name == f"{'ab' * 32}-trt10.13.3-nvidia-h100-80gb-hbm3-fp16"
    told = options(Execution("tensorrt"), "tensorrt", "fp16", folder)
    assert told["trt_engine_cache_enable"] == "1"
    assert told["trt_engine_cache_path"] == str(folder)


def test_a_device_name_cannot_leave_the_cache(tmp_path: Path) -> None:
    odd = Engine("ab" * 32, "../../10", "../../etc", "fp32").folder(tmp_path)

    assert odd.parent == tmp_path


@pytest.mark.parametrize(
    ("wanted", "provider", "file", "computes"),
    [
        ("model", CPU, "int8", "int8"),
        ("fp16", CPU, "fp16", "fp16"),
        ("fp16", TENSORRT, "fp32", "fp16"),
        ("bf16", OPENVINO, "fp32", "bf16"),
        ("fp32", OPENVINO, "fp16", "fp32"),
    ],
)
def test_a_precision_that_can_be_had(wanted: str, provider: str, file: str, computes: str) -> None:
    assert computes_in(Execution(precision=wanted), provider, file) == computes


@pytest.mark.parametrize(
    ("wanted", "provider", "file", "advice"),
    [
        ("fp16", CPU, "fp32", "--provider tensorrt"),
        ("fp16", CUDA, "fp32", "export the model in fp16"),
        ("int8", TENSORRT, "fp32", "quantise the file"),
        ("fp32", CPU, "int8", "fp32 file"),
        ("bf16", CPU, "fp32", "--provider openvino"),
    ],
)
def test_a_precision_that_cannot_be_had_is_refused_with_advice(
    wanted: str, provider: str, file: str, advice: str
) -> None:
    with pytest.raises(ProviderMissing, match=advice):
        computes_in(Execution(precision=wanted), provider, file)


def test_words_that_are_no_provider_and_no_precision() -> None:
    with pytest.raises(CallWrong, match="not one of auto, cpu, cuda, tensorrt"):
        check_known("gpu")
    with pytest.raises(CallWrong, match="not one of model, fp32"):
        computes_in(Execution(precision="fp8"), CPU, "fp32")


def test_directml_wants_no_memory_pattern() -> None:
    assert session_options(Execution("directml"), "directml")["enable_mem_pattern"] is False
    assert session_options(Execution("cpu"), "cpu")["enable_mem_pattern"] is True


def node(name: str, operator: str, provider: str, us: int, index: int) -> dict[str, object]:
    told = {"op_name": operator, "provider": provider, "node_index": str(index)}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": us, "ts": 0, "args": told}


MIXED = [
    {"cat": "Session", "name": "model_loading_array", "dur": 5000, "args": {}},
    node("Conv_0", "Conv", CUDA, 90_000, 0),  # warming up
    node("Shape_1", "Shape", CPU, 500, 1),
    node("Conv_0", "Conv", CUDA, 900, 0),
    node("Shape_1", "Shape", CPU, 100, 1),
    {"cat": "Node", "name": "Conv_0_fence_before", "dur": 7, "args": {"provider": CUDA, "op_name": "Conv"}},
]


def test_of_a_profile_the_last_run_of_a_node_counts() -> None:
    profile = nodes_of(MIXED)

    assert profile.nodes == {CUDA: 1, CPU: 1}
    assert profile.share == {CUDA: 0.9, CPU: 0.1}


def test_one_shape_operator_on_the_cpu_is_no_fall_back() -> None:
    check_share("cuda", nodes_of(MIXED), "night.onnx")


def test_a_network_that_mostly_runs_on_the_cpu_is_refused_though_the_provider_is_there() -> None:
    profile = nodes_of([node("Conv_0", "Conv", CUDA, 100, 0), node("Nms", "NonMaxSuppression", CPU, 900, 1)])

    with pytest.raises(ProviderMissing, match=r"90% of the node time of night\.onnx is on CPU \(NonMaxSuppression\)"):
        check_share("cuda", profile, "night.onnx")
    check_share("auto", profile, "night.onnx")


def test_tensorrt_that_leaves_all_to_cuda_is_not_tensorrt() -> None:
    with pytest.raises(ProviderMissing, match="is on CUDA"):
        check_share("tensorrt", nodes_of([node("Conv_0", "Conv", CUDA, 100, 0)]), "night.onnx")
