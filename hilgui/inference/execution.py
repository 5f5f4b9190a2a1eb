"""How a model is asked to run: provider, precision, threads; and what of it onnxruntime is told.

Everything here is arithmetic on words: nothing is loaded, so that the options for hardware that is not here can be
looked at. Options: onnxruntime.ai/docs/execution-providers (CUDA, TensorRT, DirectML, CoreML).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong, ProviderMissing

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
DIRECTML = "DmlExecutionProvider"
COREML = "CoreMLExecutionProvider"
OPENVINO = "OpenVINO"  # the package of that name, no provider of onnxruntime

CHAINS = {
    "cpu": (CPU,),
    "cuda": (CUDA, CPU),
    "tensorrt": (TENSORRT, CUDA, CPU),
    "directml": (DIRECTML, CPU),
    "coreml": (COREML, CPU),
    "openvino": (OPENVINO,),
}
PROVIDERS = ("auto", *CHAINS)
PRECISIONS = ("model", "fp32", "fp16", "bf16", "int8")
LEAST_SHARE = 0.5  # of the time in nodes that a provider which was asked for by name has to take

Chain = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Execution:
    """What was asked for. `precision` "model" is what the file says."""

    provider: str = "auto"
    precision: str = "model"
    threads: int = 1  # that work on one picture together
    spinning: bool = False
    cuda_graph: bool = False  # record the launches of one picture and replay them: fixed shapes only


@dataclass(frozen=True, slots=True)
class Engine:
    """What names a compiled engine: the file, what compiled it, for which device."""

    sha256: str
    tensorrt: str
    device: str
    precision: str

    def folder(self, root: Path) -> Path:
        """Give the folder of its cache: an engine of another model, version or GPU is never taken."""
        device = re.sub(r"[^A-Za-z0-9]+", "-", self.device).strip("-").lower() or "unknown"
        version = re.sub(r"[^A-Za-z0-9.]+", "-", self.tensorrt) or "unknown"
        return root / f"{self.sha256}-trt{version}-{device}-{self.precision}"


def computes_in(asked: Execution, provider: str, file: str) -> str:
    """Give the precision that a provider computes in; raises ProviderMissing where it is not the one asked for.

    `file`: what the file computes in. onnxruntime computes in what the file says, except for TensorRT, which may be
    told fp16; OpenVINO takes fp32 or bf16 whatever the file says, and int8 only from it.
    """
    wanted = asked.precision
    if wanted not in PRECISIONS:
        raise CallWrong(f"the precision {wanted!r} is not one of {', '.join(PRECISIONS)}")
    if wanted in ("model", file):
        return file
    if provider == TENSORRT and file == "fp32" and wanted in ("fp16", "bf16"):
        return wanted
    if provider == OPENVINO and wanted in ("bf16", "fp32") and file in ("fp32", "fp16"):
        return wanted
    advice = {
        "fp16": "export the model in fp16, or take --provider tensorrt, which can compute an fp32 file in fp16",
        "bf16": "take --provider openvino on a processor with bf16, or --provider tensorrt",
        "int8": "quantise the file first (onnxruntime.quantization.quantize_static, with pictures of your drives)",
        "fp32": "name the fp32 file that this one was made from",
    }[wanted]
    where = provider.removesuffix("ExecutionProvider")
    raise ProviderMissing(f"the precision {wanted} was asked for, the file is {file} and {where} keeps to it; {advice}")


def chain(asked: Execution, name: str, computes: str, engine: Path | None = None) -> Chain:
    """Give providers with their options in the order of preference; values are text, as onnxruntime wants them."""
    options = {
        CUDA: _cuda(asked, is_first=name == "cuda"),
        TENSORRT: _tensorrt(asked, computes, engine),
        COREML: {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"},
    }
    return [(each, options.get(each, {})) for each in CHAINS[name]]


def session_options(asked: Execution, name: str) -> dict[str, Any]:
    """Give what is set on a session; DirectML wants no memory pattern and one operator at a time."""
    return {
        "intra_op_num_threads": asked.threads,
        "inter_op_num_threads": 1,
        "graph_optimization_level": "all",
        "enable_mem_pattern": name != "directml",
        "session.intra_op.allow_spinning": "1" if asked.spinning else "0",
        "session.inter_op.allow_spinning": "0",
    }


def _cuda(asked: Execution, *, is_first: bool) -> dict[str, str]:
    options = {
        "device_id": "0",
        "arena_extend_strategy": "kSameAsRequested",  # powers of two hold memory that the second model needs
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "do_copy_in_default_stream": "1",
        "use_tf32": "0" if asked.precision == "fp32" else "1",  # tf32 has the mantissa of fp16
    }
    if asked.cuda_graph and is_first:
        options["enable_cuda_graph"] = "1"
    return options


def _tensorrt(asked: Execution, computes: str, engine: Path | None) -> dict[str, str]:
    options = {
        "device_id": "0",
        "trt_fp16_enable": "1" if computes == "fp16" else "0",
        "trt_bf16_enable": "1" if computes == "bf16" else "0",
        "trt_int8_enable": "1" if computes == "int8" else "0",
        "trt_builder_optimization_level": "3",
    }
    if engine is not None:
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(engine),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(engine),
        }
    if asked.cuda_graph:
        options["trt_cuda_graph_enable"] = "1"
    return options
