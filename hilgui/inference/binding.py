"""I/O binding: buffers on the GPU that are made once for a thread, filled from page-locked memory, run, read back."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from hilgui.inference.pinned import pin
from hilgui.inference.protocol import NUMPY_TYPES, Tensor, fixed


class Bound:
    """The bound buffers of one thread, or of the whole session where a CUDA graph has their addresses inside.

    `run` may be called by several threads; they then take turns.
    """

    def __init__(self, native: Any, outputs: Sequence[Tensor], feeds: Mapping[str, NDArray[Any]], device: str) -> None:
        """Make buffers for these inputs on `device` ("cuda", "dml")."""
        self._native = native
        self._lock = threading.Lock()
        self._binding = native.io_binding()
        self._inputs = {name: onnxruntime.OrtValue.ortvalue_from_numpy(each, device, 0) for name, each in feeds.items()}
        self._pinned: set[int] = set()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for each in outputs:
            shape = [fixed(size) for size in each.shape]
            if all(size is not None for size in shape) and each.dtype in NUMPY_TYPES:
                value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, NUMPY_TYPES[each.dtype], device, 0)
                self._binding.bind_ortvalue_output(each.name, value)
            else:
                self._binding.bind_output(each.name, device)  # its size is known after the run

    def fits(self, feeds: Mapping[str, NDArray[Any]]) -> bool:
        """Say whether inputs have the sizes of these buffers."""
        return all(
            name in self._inputs and tuple(self._inputs[name].shape()) == each.shape for name, each in feeds.items()
        )

    def run(self, feeds: Mapping[str, NDArray[Any]], options: Any) -> list[NDArray[Any]]:
        """Copy in, run, copy out; whatever onnxruntime raises goes to the caller."""
        with self._lock:
            for name, each in feeds.items():
                if id(each) not in self._pinned and len(self._pinned) < 256:
                    self._pinned.add(id(each))
                    pin(each)
                self._inputs[name].update_inplace(each)
            self._native.run_with_iobinding(self._binding, options)
            self._binding.synchronize_outputs()
            outputs: list[NDArray[Any]] = self._binding.copy_outputs_to_cpu()
        return outputs
