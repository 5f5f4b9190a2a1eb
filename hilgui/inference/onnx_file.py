"""Reads an ONNX file without running or trusting it: operators, weights, and what it refers to outside.

A walker over the protobuf wire format that follows only the fields it needs (numbers from onnx.proto3). It reads,
never allocates by what a file declares, is bounded in depth and fields, and raises ModelBroken on anything that is
not well-formed: what this walker cannot read is not given to onnxruntime either.
"""

from __future__ import annotations

import math
import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hilgui.errors import ModelBroken

Bytes = bytes | mmap.mmap

_MOST_FIELDS = 5_000_000  # a language model of 50,000 nodes has a fifth of it
_DEEPEST = 100  # messages within messages, as protobuf itself limits them
_LONGEST_TEXT = 65536
_MOST_LARGE = 5
_MOST_AXES = 64
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_STEP = {_FIXED64: 8, _FIXED32: 4}
_FLOATS = {1: "fp32", 10: "fp16", 11: "fp64", 16: "bf16"}  # data types of onnx.TensorProto
_QUANTISED = {
    "ConvInteger",
    "DequantizeLinear",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "QLinearConv",
    "QLinearMatMul",
}

# message → field number → message inside
_INSIDE = {
    "model": {7: "graph", 8: "opset", 14: "metadata", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "graph": {1: "node", 5: "initializer", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "subgraph", 10: "tensor", 11: "subgraph", 22: "sparse", 23: "sparse"},
    "subgraph": {1: "node", 5: "initializer", 15: "sparse"},
    "sparse": {1: "initializer", 2: "initializer"},
    "initializer": {13: "external"},
    "tensor": {13: "external"},
    "opset": {},
    "metadata": {},
    "external": {},
}


@dataclass(slots=True)
class OnnxFacts:
    """What a file holds; every text in it is a stranger's."""

    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)  # domain → version; "" is ONNX itself
    operators: Counter[str] = field(default_factory=Counter)  # "Conv", "com.microsoft.FusedConv", subgraphs included
    domains: set[str] = field(default_factory=set)  # of operators that are called
    functions: int = 0  # defined inside the file
    parameters: int = 0  # numbers in the weights
    constants: int = 0  # numbers in constants of nodes
    weights: Counter[int] = field(default_factory=Counter)  # data type of ONNX → numbers in weights of it
    largest: list[tuple[int, str]] = field(default_factory=list)  # (numbers, name) of the largest weights
    external: set[str] = field(default_factory=set)  # files named as places of weights
    metadata: dict[str, str] = field(default_factory=dict)
    subgraphs: int = 0
    has_training: bool = False


def read_onnx(path: Path) -> OnnxFacts:
    """Walk over a file of any size in constant memory; raises ModelBroken where it is not an ONNX file."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            try:
                return walk(mapped)
            except ValueError as failure:
                raise ModelBroken(
                    f"model {path} is not a model that onnxruntime can load: {failure}; export or copy it again",
                    path=path,
                ) from failure
    except (OSError, ValueError) as failure:
        raise ModelBroken(f"model {path} cannot be read: {failure}", path=path) from failure


def precision_of(facts: OnnxFacts) -> str:
    """Say in what a file computes: int8 where operators are quantised, else the type of most of its weights."""
    if any(name.rpartition(".")[2] in _QUANTISED for name in facts.operators):
        return "int8"
    floats = Counter({_FLOATS[kind]: count for kind, count in facts.weights.items() if kind in _FLOATS})
    return floats.most_common(1)[0][0] if floats else "fp32"


def walk(data: Bytes) -> OnnxFacts:
    """Walk over the bytes of a file; raises ValueError where they are not well-formed or hold no graph."""
    facts = OnnxFacts()
    walker = _Walker(data, facts)
    seen = walker.message("model", 0, len(data), 0)
    if not seen.get(7):
        raise ValueError("it holds no graph")
    if not facts.ir_version or not facts.opsets:
        raise ValueError("it names no version of ONNX")
    facts.largest.sort(reverse=True)
    del facts.largest[_MOST_LARGE:]
    return facts


def fields_of(data: Bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Give number, wire type, value (or start of the content) and end of each field of a message; raises ValueError."""
    return _Walker(data, OnnxFacts()).fields(start, end)


class _Walker:
    """One walk; fills the facts."""

    def __init__(self, data: Bytes, facts: OnnxFacts) -> None:
        self._data = data
        self._facts = facts
        self._left = _MOST_FIELDS

    def message(self, kind: str, start: int, end: int, depth: int) -> Counter[int]:
        """Walk over one message; count its fields."""
        if depth > _DEEPEST:
            raise ValueError(f"its messages are nested more than {_DEEPEST} deep")
        inside = _INSIDE[kind]
        seen: Counter[int] = Counter()
        texts: dict[int, str] = {}
        numbers: dict[int, int] = {}
        dims: list[int] = []
        for number, wire, value, stop in self.fields(start, end):
            seen[number] += 1
            if wire == _LENGTH and number in inside:
                self.message(inside[number], value, stop, depth + 1)
            elif wire == _LENGTH and kind in ("initializer", "tensor") and number == 1:
                dims.extend(self._packed(value, stop))
            elif wire == _LENGTH and number < 9 and kind not in ("graph", "subgraph", "attribute"):
                texts[number] = self._text(value, stop)
                if (kind, number) == ("external", 2) and texts.get(1) == "location":
                    self._facts.external.add(texts[2])
            elif wire == _VARINT:
                numbers[number] = value
                if number == 1:
                    dims.append(value)
        self._note(kind, texts, numbers, dims)
        return seen

    def _note(self, kind: str, texts: dict[int, str], numbers: dict[int, int], dims: list[int]) -> None:
        facts = self._facts
        if kind == "model":
            facts.ir_version = numbers.get(1, 0)
            facts.producer = f"{texts.get(2, '')} {texts.get(3, '')}".strip()
        elif kind == "opset":
            facts.opsets[texts.get(1, "")] = numbers.get(2, 0)
        elif kind == "metadata":
            facts.metadata[texts.get(1, "")] = texts.get(2, "")
        elif kind == "node":
            domain = texts.get(7, "")
            facts.domains.add(domain)
            facts.operators[f"{domain}.{texts.get(4, '')}" if domain else texts.get(4, "")] += 1
        elif kind == "function":
            facts.functions += 1
        elif kind == "training":
            facts.has_training = True
        elif kind == "subgraph":
            facts.subgraphs += 1
        elif kind == "external":
            if texts.get(1) == "location":
                facts.external.add(texts.get(2, ""))
        elif kind in ("initializer", "tensor"):
            if len(dims) > _MOST_AXES:
                raise ValueError(f"it has a tensor of {len(dims)} axes")
            count = math.prod(dims)
            if kind == "tensor":
                facts.constants += count
            else:
                facts.parameters += count
                facts.weights[numbers.get(2, 0)] += count
            facts.largest.append((count, texts.get(8, "")))
            if len(facts.largest) > 1000:
                facts.largest.sort(reverse=True)
                del facts.largest[_MOST_LARGE:]

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Give number, wire type, value (or start of the content) and end of the content."""
        place = start
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {_MOST_FIELDS} fields")
            key, place = self._varint(place, end)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise ValueError(f"a field has the number 0 at byte {place}")
            if wire == _VARINT:
                value, place = self._varint(place, end)
                yield number, wire, value, place
                continue
            if wire == _LENGTH:
                length, place = self._varint(place, end)
            elif wire in _STEP:
                length = _STEP[wire]
            else:
                raise ValueError(f"a field has the unknown kind {wire} at byte {place}")
            if length > end - place:
                raise ValueError(f"it is cut off: a field of {length} bytes at byte {place} goes beyond its message")
            yield number, wire, place, place + length
            place += length

    def _varint(self, place: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while place < end and shift < 70:
            byte = self._data[place]
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & (1 << 64) - 1, place
            shift += 7
        raise ValueError(f"it is cut off: a number has no end at byte {place}")

    def _packed(self, place: int, end: int) -> Iterator[int]:
        while place < end:
            value, place = self._varint(place, end)
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {_MOST_FIELDS} fields")
            yield value

    def _text(self, start: int, end: int) -> str:
        return self._data[start : min(end, start + _LONGEST_TEXT)].decode("utf-8", errors="replace")
