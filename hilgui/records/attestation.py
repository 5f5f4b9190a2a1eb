"""What really ran a model: which processor took which share of its nodes, with which libraries and options."""

from __future__ import annotations

from dataclasses import dataclass, field

_NAMES = {
    "CPUExecutionProvider": "CPU",
    "CUDAExecutionProvider": "CUDA",
    "TensorrtExecutionProvider": "TensorRT",
    "DmlExecutionProvider": "DirectML",
    "CoreMLExecutionProvider": "CoreML",
    "OpenVINO": "OpenVINO",
}


@dataclass(frozen=True, slots=True)
class Attestation:
    """Read from one profiled run of the very session that the run used, never from what was asked for."""

    nodes: dict[str, int]  # provider → nodes that it took, after optimisation
    share: dict[str, float]  # provider → share of the time in nodes, 0..1
    precision: str  # fp32, fp16, bf16 or int8
    driver: str = ""  # of the GPU; empty where none was used
    libraries: dict[str, str] = field(default_factory=dict)  # onnxruntime, cuda, cudnn, tensorrt, openvino → version
    options: dict[str, str] = field(default_factory=dict)  # of the session and its provider

    def in_short(self, provider: str) -> str:
        """Say it in one line: "CPU · 8 of 8 nodes · fp32"."""
        total = sum(self.nodes.values())
        return f"{provider_name(provider)} · {self.nodes.get(provider, 0)} of {total} nodes · {self.precision}"


def provider_name(provider: str) -> str:
    """Give the name of an execution provider as people write it: "CPU", "TensorRT"."""
    return _NAMES.get(provider, provider.removesuffix("ExecutionProvider"))
