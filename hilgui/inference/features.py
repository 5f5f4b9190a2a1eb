"""What a network's own features say of a picture: its deepest feature map, averaged over the picture.

The file is cut in memory behind one convolution: bytes of the graph are copied without its outputs, and the chosen
tensor becomes the only one, so that onnxruntime leaves out the rest. The model under test runs as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.inference.onnx_file import fields_of, read_onnx
from hilgui.inference.session import translated

MOST = 64  # numbers of a picture
_LARGEST = 512 * 2**20  # bytes of a file that is cut
_GRAPH, _NODE, _OUTPUT = 7, 1, 12  # fields of onnx.ModelProto and GraphProto
_NODE_OUTPUT, _OPERATOR = 2, 4  # of onnx.NodeProto
_CONVOLUTIONS = (b"Conv", b"FusedConv", b"QLinearConv")
_ERROR = 3


class Features:
    """Owns a session of the first part of a network, on the CPU with one thread."""

    def __init__(self, path: Path) -> None:
        """Cut the file; raises ModelBroken, and CallWrong where it has no features that could be found."""
        if read_onnx(path).external or path.stat().st_size > _LARGEST:
            raise CallWrong(f"{path} keeps weights beside it or is larger than 512 MiB; leave its features out")
        data = path.read_bytes()
        shapes = _shapes(path, data)
        maps = {name: shape for name, shape in shapes.items() if len(shape) == 4 and isinstance(shape[1], int)}
        if not maps:
            raise CallWrong(f"{path} has no convolutions with known sizes, so no features; leave its features out")
        self.tensor = _deepest(maps)
        self._session = _session(path, cut(data, [self.tensor], keep=False), is_optimised=True)
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._path = path

    def of(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Give at most 64 numbers of a picture that was prepared for the model; raises ModelBroken."""
        with translated(self._path, "fails while its features are read"):
            (found,) = self._session.run([self.tensor], {name: feeds[name] for name in self._inputs})
        return pooled(np.asarray(found))


def pooled(features: NDArray[Any]) -> NDArray[np.float64]:
    """Average (1, channels, height, width) over the picture; of more than 64 channels neighbours together."""
    channels = features[0].reshape(features.shape[1], -1).mean(axis=1, dtype=np.float64)
    edges = np.linspace(0, len(channels), min(MOST, len(channels)) + 1).round().astype(int)
    return np.asarray(np.add.reduceat(channels, edges[:-1]) / np.diff(edges), np.float64)


def cut(data: bytes, names: list[str], *, keep: bool) -> bytes:
    """Give the file with these tensors as outputs, beside its own where `keep`; raises ValueError on damage."""
    outputs = b"".join(_field(_OUTPUT, _field(1, name.encode())) for name in names)
    parts: list[bytes] = []
    for number, wire, value, stop, start in _placed(data, 0, len(data)):
        if number == _GRAPH and wire == 2:
            graph = [
                data[first:last] for inner, _, _, last, first in _placed(data, value, stop) if keep or inner != _OUTPUT
            ]
            parts.append(_field(_GRAPH, b"".join((*graph, outputs))))
        else:
            parts.append(data[start:stop])
    return b"".join(parts)


def convolutions(data: bytes) -> list[str]:
    """Name the tensors that convolutions of the graph give, in the order of its nodes."""
    found: list[str] = []
    for number, wire, value, stop in fields_of(data, 0, len(data)):
        if number != _GRAPH or wire != 2:
            continue
        for inner, _, first, last in fields_of(data, value, stop):
            if inner == _NODE:
                told: dict[int, bytes] = {}
                for field, kind, begin, end in fields_of(data, first, last):
                    if kind == 2:
                        told.setdefault(field, data[begin:end])
                if told.get(_OPERATOR) in _CONVOLUTIONS:
                    found.append(told[_NODE_OUTPUT].decode())
    return found


def _deepest(maps: Mapping[str, list[Any]]) -> str:
    """Choose of the coarsest maps the last with the most channels; sizes that nobody knows count as coarse."""

    def area(shape: list[Any]) -> int:
        return shape[2] * shape[3] if all(isinstance(side, int) for side in shape[2:]) else 4

    large = {name: shape for name, shape in maps.items() if area(shape) >= 4} or dict(maps)
    coarsest = min(area(shape) for shape in large.values())
    among = [name for name, shape in large.items() if area(shape) == coarsest]
    most = max(large[name][1] for name in among)
    return [name for name in among if large[name][1] == most][-1]


def _shapes(path: Path, data: bytes) -> dict[str, list[Any]]:
    """Give the shape of what each convolution gives, as onnxruntime infers it; nothing runs."""
    try:
        names = convolutions(data)
        probe = cut(data, names, keep=True)
    except ValueError as failure:
        raise CallWrong(f"{path} cannot be cut: {failure}; leave its features out") from failure
    session = _session(path, probe, is_optimised=False)
    return {each.name: list(each.shape or ()) for each in session.get_outputs() if each.name in names}


def _session(path: Path, data: bytes, *, is_optimised: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERROR
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if is_optimised else level.ORT_DISABLE_ALL
    with translated(path, "cannot be cut behind its features"):
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], read_config_from_model=0)


def _placed(data: bytes, start: int, end: int) -> list[tuple[int, int, int, int, int]]:
    """Give the fields of a message, each with the place where its key begins."""
    found = []
    for number, wire, value, stop in fields_of(data, start, end):
        found.append((number, wire, value, stop, start))
        start = stop
    return found


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value))
