"""Page-locked memory: a GPU copies from it at the speed of the bus, without a second copy by the driver."""

from __future__ import annotations

import ctypes
import logging
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from hilgui.inference.device import cuda_driver

log = logging.getLogger(__name__)

_PORTABLE = 1  # CU_MEMHOSTREGISTER_PORTABLE: pinned for every context
_ALREADY = 712  # CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED


def pin(array: NDArray[Any], driver: Any = None) -> Callable[[], None] | None:
    """Lock an array in memory until it is let go; give what lets go earlier, None where it stays as it was.

    CUDA driver API: cuMemHostRegister. An array that cannot be locked works too, slower.
    """
    driver = cuda_driver() if driver is None else driver
    if driver is None or not array.flags.c_contiguous or array.nbytes == 0:
        return None
    address = int(array.ctypes.data)
    with _context(driver) as is_there:
        if not is_there:
            return None
        code = driver.cuMemHostRegister_v2(
            ctypes.c_void_p(address), ctypes.c_size_t(array.nbytes), ctypes.c_uint(_PORTABLE)
        )
    if code != 0:
        if code != _ALREADY:
            log.info("a buffer of %d bytes is not page-locked (CUDA error %d)", array.nbytes, code)
        return None
    return weakref.finalize(array, _unpin, driver, address)


def _unpin(driver: Any, address: int) -> None:
    with _context(driver) as is_there:
        if is_there:
            driver.cuMemHostUnregister(ctypes.c_void_p(address))


@contextmanager
def _context(driver: Any) -> Iterator[bool]:
    """Make the context that onnxruntime uses too (the primary one) current on this thread."""
    device, context = ctypes.c_int(), ctypes.c_void_p()
    is_there = (
        driver.cuInit(0) == 0
        and driver.cuDeviceGet(ctypes.byref(device), 0) == 0
        and driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device) == 0
    )
    if not is_there:
        yield False
        return
    is_current = driver.cuCtxPushCurrent_v2(context) == 0
    try:
        yield is_current
    finally:
        if is_current:
            driver.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
        driver.cuDevicePrimaryCtxRelease_v2(device)
