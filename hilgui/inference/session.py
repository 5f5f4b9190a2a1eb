"""The onnxruntime session of one model: made with care, shared by threads, its exceptions translated here.

Never loaded from a model: session settings in its metadata, custom operator libraries. Weights outside the model's
folder, also by a link, are refused before onnxruntime sees the file (which refuses most of them itself since 1.25.1).
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as native

from hilgui.errors import CallWrong, ModelBroken, ProviderMissing
from hilgui.inference.device import gpu_name
from hilgui.inference.onnx_file import read_onnx
from hilgui.inference.protocol import Signature, Tensor
from hilgui.inference.providers import CHAINS, CPU, CUDA, load_libraries, what_is_missing
from hilgui.inference.trust import check_outside

log = logging.getLogger(__name__)

_LARGEST = 2**31 - 1  # a protobuf message cannot be larger; weights beyond it lie in files beside
_ERROR = 3
_NATIVE = [each for each in vars(native).values() if isinstance(each, type) and issubclass(each, Exception)]
_FAILURES: tuple[type[Exception], ...] = (*_NATIVE, RuntimeError, ValueError)  # without a common root of their own


def fingerprint(path: Path) -> str:
    """Give the SHA-256 of a model file; raises ModelBroken where it cannot be one by its size or kind."""
    try:
        if path.is_dir():
            raise ModelBroken(f"{path} is a folder; name the .onnx file in it", path=path)
        size = path.stat().st_size
        if size == 0:
            raise ModelBroken(f"model {path} is empty; copy it again", path=path)
        if size > _LARGEST:
            raise ModelBroken(f"model {path} is larger than 2 GiB, which no ONNX file can be", path=path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as failure:
        raise ModelBroken(f"model {path} does not exist; check the name", path=path) from failure
    except OSError as failure:
        raise ModelBroken(f"model {path} cannot be read: {failure.strerror}", path=path) from failure


class Session:
    """Owns the native session; `run` may be called by several threads at a time."""

    def __init__(self, path: Path, *, provider: str, threads: int, spinning: bool, profile: Path | None = None) -> None:
        """Load a model; raises ModelBroken, ProviderMissing, CallWrong. Node times go to a file called `profile…`."""
        self._path = path
        check_outside(path, read_onnx(path))
        self._native = _make(path, provider, _options(threads, spinning, profile))
        self._names = [output.name for output in self._native.get_outputs()]
        self.providers: tuple[str, ...] = tuple(self._native.get_providers())
        self.provider: str = self.providers[0]
        self.signature = _signature(self._native)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network once; raises ModelBroken when it fails or gives something else than arrays."""
        with _translated(self._path, "fails while it runs"):
            outputs: list[NDArray[Any]] = self._native.run(self._names, feeds)
        if not all(isinstance(output, np.ndarray) for output in outputs):
            raise ModelBroken(f"model {self._path} gives outputs that are not tensors", path=self._path)
        return outputs

    def end_profile(self) -> Path:
        """Close the profile that was asked for; give its file."""
        return Path(self._native.end_profiling())


def _make(path: Path, provider: str, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    if provider == "cpu":
        return _open(path, [CPU], options)
    if provider == "auto":
        return _make_best(path, options)
    if provider not in CHAINS:
        raise CallWrong(f"the provider {provider!r} is not one of auto, {', '.join(CHAINS)}")
    wanted = CHAINS[provider][0]
    load_libraries()
    try:
        session = _open(path, CHAINS[provider], options)
    except ModelBroken as failure:
        _open(path, [CPU], options)  # where the model is what is broken, this says so
        raise _missing(provider, wanted) from failure
    if session.get_providers()[0] != wanted:
        raise _missing(provider, wanted)
    return session


def _make_best(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """Take CUDA where it works; TensorRT is for those who ask, as it builds for minutes and changes results."""
    if not gpu_name() or CUDA not in onnxruntime.get_available_providers():
        return _open(path, [CPU], options)
    load_libraries()
    try:
        session = _open(path, CHAINS["cuda"], options)
    except ModelBroken:
        session = _open(path, [CPU], options)
    if session.get_providers()[0] != CUDA:
        log.warning("there is a GPU, but models run on the CPU: %s", what_is_missing(CUDA))
    return session


def _open(path: Path, chain: Sequence[str], options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    os.environ.pop("ORT_LOAD_CONFIG_FROM_MODEL", None)  # or the library asks for settings in the model's metadata
    with _translated(path, "is not a model that onnxruntime can load"):
        session = onnxruntime.InferenceSession(
            str(path), options, providers=list(chain), enable_fallback=0, read_config_from_model=0
        )
        session.disable_fallback()
        return session


def _options(threads: int, spinning: bool, profile: Path | None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERROR
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _signature(session: onnxruntime.InferenceSession) -> Signature:
    def tensors(declared: Sequence[Any]) -> tuple[Tensor, ...]:
        return tuple(Tensor(each.name, tuple(each.shape), each.type) for each in declared)

    return Signature(
        tensors(session.get_inputs()),
        tensors(session.get_outputs()),
        dict(session.get_modelmeta().custom_metadata_map),
    )


def _missing(provider: str, wanted: str) -> ProviderMissing:
    return ProviderMissing(f"{provider} was asked for and cannot be used: {what_is_missing(wanted)}")


@contextmanager
def _translated(path: Path, what: str) -> Iterator[None]:
    """Turn what onnxruntime raises into ModelBroken with its first line."""
    try:
        yield
    except _FAILURES as failure:
        lines = str(failure).strip().splitlines() or [type(failure).__name__]
        raise ModelBroken(f"model {path} {what}: {lines[0][:300]}", path=path) from failure
