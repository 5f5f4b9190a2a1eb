"""Names of the processors that models run on."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache
from pathlib import Path

_NAME_LENGTH = 256


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
    driver = _driver()
    if driver is None or driver.cuInit(0) != 0:
        return ""
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(_NAME_LENGTH)
    if driver.cuDeviceGet(ctypes.byref(device), 0) != 0 or driver.cuDeviceGetName(name, _NAME_LENGTH, device) != 0:
        return ""
    return name.value.decode("utf-8", errors="replace")


def _driver() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
