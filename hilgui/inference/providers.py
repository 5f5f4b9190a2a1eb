"""Execution providers: which are asked for, which are really there, and what is missing.

onnxruntime falls back to the CPU without a word. Here a provider counts as in use only when the session says so
after it was made; what a session leaves on the CPU besides (shape operators, say) is not looked at. A check of the
share of node time by a profiled run belongs here when it comes.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import sys
from pathlib import Path
from typing import Literal

import onnxruntime

from hilgui.inference.device import cpu_name, gpu_name

log = logging.getLogger(__name__)

Provider = Literal["auto", "cpu", "cuda", "tensorrt"]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
CHAINS = {"cpu": [CPU], "cuda": [CUDA, CPU], "tensorrt": [TENSORRT, CUDA, CPU]}

_GET_CUDA = "install its libraries (pip install 'hilgui[cuda]') or run with --provider cpu"
_GET_TENSORRT = "install TensorRT (pip install tensorrt-cu13) beside 'hilgui[cuda]', or run with --provider cuda"
_GET = {CUDA: _GET_CUDA, TENSORRT: _GET_TENSORRT}

onnxruntime.set_default_logger_severity(4)  # providers complain on standard error about libraries; we ask and say


def device_name(provider: str) -> str:
    """Name the processor behind an execution provider."""
    return gpu_name() if provider in (CUDA, TENSORRT) else cpu_name()


def load_libraries() -> None:
    """Load the CUDA libraries of pip packages, so that the provider finds them; what fails is logged."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            onnxruntime.preload_dlls()
    except RuntimeError:
        log.debug("CUDA libraries were not loaded", exc_info=True)
    for line in said.getvalue().splitlines():
        log.debug("onnxruntime: %s", line)


def what_is_missing(provider: str) -> str:
    """Say why a GPU provider is not in use and how to get it, as the second half of a sentence."""
    if provider not in onnxruntime.get_available_providers():
        return f"this build of onnxruntime does not have it; {_GET[provider]}"
    if not gpu_name():
        return "no NVIDIA GPU with a working driver was found (nvidia-smi shows what the driver sees)"
    library = _missing_library(provider)
    if library:
        return f"{library}; {_GET[provider]}"
    return f"onnxruntime refused it without a reason (too old a driver or GPU, most often); {_GET[provider]}"


def _missing_library(provider: str) -> str:
    """Load the provider's library by hand: the loader names what it lacks, onnxruntime does not."""
    stem = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}[provider]
    name = f"{stem}.dll" if sys.platform == "win32" else f"lib{stem}.so"
    library = Path(onnxruntime.__file__).parent / "capi" / name
    if not library.exists():
        return f"{name} is not part of the installed onnxruntime"
    try:
        ctypes.CDLL(str(library))
    except OSError as failure:
        said = str(failure)
        return "" if "undefined symbol" in said else said
    return ""
