"""The processors that models run on: their names, their drivers, and the versions of the libraries that are loaded."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_NAME_LENGTH = 256
_IS_WINDOWS = sys.platform == "win32"


@cache
def cpu_name() -> str:
    """Give the model name of the processor, its architecture where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


@cache
def gpu_name() -> str:
    """Give the name of the first CUDA device, empty where the driver or the device is missing."""
    driver = cuda_driver()
    if driver is None or driver.cuInit(0) != 0:
        return ""
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(_NAME_LENGTH)
    if driver.cuDeviceGet(ctypes.byref(device), 0) != 0 or driver.cuDeviceGetName(name, _NAME_LENGTH, device) != 0:
        return ""
    return name.value.decode("utf-8", errors="replace")


@cache
def gpu_driver() -> str:
    """Give the version of NVIDIA's driver ("580.82.07"), empty where there is none."""
    library = _library("nvml.dll", "libnvidia-ml.so.1")
    if library is None or library.nvmlInit_v2() != 0:
        return ""
    try:
        text = ctypes.create_string_buffer(_NAME_LENGTH)
        if library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(_NAME_LENGTH)) != 0:
            return ""
        return text.value.decode("utf-8", errors="replace")
    finally:
        library.nvmlShutdown()


def gpu_libraries() -> dict[str, str]:
    """Give the versions of CUDA, cuDNN and TensorRT as the loaded libraries themselves state them."""
    found: dict[str, str] = {}
    for number in (13, 12):
        runtime = _library(f"cudart64_{number}.dll", f"libcudart.so.{number}", only_loaded=True)
        told = ctypes.c_int()
        if runtime is not None and runtime.cudaRuntimeGetVersion(ctypes.byref(told)) == 0:
            found["cuda"] = cuda_version(told.value)
            break
    cudnn = _library("cudnn64_9.dll", "libcudnn.so.9", only_loaded=True)
    if cudnn is not None:
        cudnn.cudnnGetVersion.restype = ctypes.c_size_t
        found["cudnn"] = cudnn_version(cudnn.cudnnGetVersion())
    tensorrt = tensorrt_version()
    if tensorrt:
        found["tensorrt"] = tensorrt
    return found


def tensorrt_version() -> str:
    """Give the version of the TensorRT library that is loaded or would be; empty where there is none."""
    library = _library("nvinfer_10.dll", "libnvinfer.so.10")
    return "" if library is None else nvinfer_version(library.getInferLibVersion())


def package_version(name: str) -> str:
    """Give the version of an installed package, empty where it is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def cuda_version(number: int) -> str:
    """Write CUDA's number: 13000 is 13.0 (cudaRuntimeGetVersion)."""
    return f"{number // 1000}.{number % 1000 // 10}"


def cudnn_version(number: int) -> str:
    """Write cuDNN's number: 91300 is 9.13.0, from version 9 on (cudnnGetVersion)."""
    return f"{number // 10000}.{number % 10000 // 100}.{number % 100}"


def nvinfer_version(number: int) -> str:
    """Write TensorRT's number: 101303 is 10.13.3 (getInferLibVersion, from version 10 on)."""
    return f"{number // 10000}.{number % 10000 // 100}.{number % 100}"


def cuda_driver() -> Any:
    """Give the library of the CUDA driver, None where it is not installed."""
    return _library("nvcuda.dll", "libcuda.so.1")


def _library(windows: str, other: str, *, only_loaded: bool = False) -> Any:
    """Open a library by its name; with `only_loaded` one that this process has in use, wherever it lies."""
    name = windows if _IS_WINDOWS else other
    if only_loaded and not _IS_WINDOWS:
        name = _loaded(name)
    if not name:
        return None
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def _loaded(name: str) -> str:
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return name
    found = re.search(rf"(/\S*/{re.escape(name)}[.0-9]*)$", maps, re.MULTILINE)
    return found.group(1) if found else ""
