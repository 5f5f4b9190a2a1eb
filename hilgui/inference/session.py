"""The onnxruntime session of one model: made with care, shared by threads, its exceptions translated here.

Never loaded from a model: session settings in its metadata, custom operator libraries. Weights outside the model's
folder, also by a link, are refused before onnxruntime sees the file (which refuses most of them itself since 1.25.1).
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import platformdirs
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as native

from hilgui.errors import InferenceHung, MemoryExhausted, ModelBroken, ProviderMissing
from hilgui.inference.binding import Bound
from hilgui.inference.device import gpu_libraries, gpu_name, tensorrt_version
from hilgui.inference.execution import (
    CHAINS,
    CUDA,
    OPENVINO,
    TENSORRT,
    Chain,
    Engine,
    Execution,
    chain,
    computes_in,
    session_options,
)
from hilgui.inference.onnx_file import precision_of, read_onnx
from hilgui.inference.profile import Profile, read_profile
from hilgui.inference.protocol import Signature, Tensor
from hilgui.inference.providers import check_known, load_libraries, what_is_missing
from hilgui.inference.trust import check_outside

log = logging.getLogger(__name__)

_LARGEST = 2**31 - 1  # a protobuf message cannot be larger; weights beyond it lie in files beside
_ERROR = 3
_NATIVE = [each for each in vars(native).values() if isinstance(each, type) and issubclass(each, Exception)]
_FAILURES: tuple[type[Exception], ...] = (
    *_NATIVE,
    RuntimeError,
    ValueError,
    MemoryError,
)  # without a common root of their own
_NO_ROOM = (  # in the words of onnxruntime, CUDA, cuBLAS and cuDNN
    "failed to allocate memory",
    "bad allocation",
    "bad_alloc",
    "out of memory",
    "alloc_failed",
    "cudaerrormemoryallocation",
)
_TERMINATED = "terminate flag"


class AnySession(Protocol):
    """What a model needs of whatever runs it; `run` is called by several threads at a time."""

    provider: str  # that took the nodes, read back after it was made
    signature: Signature
    precision: str
    options: dict[str, str]
    libraries: dict[str, str]

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network once; raises ModelBroken, MemoryExhausted or InferenceHung."""

    def profiled(self) -> Profile:
        """Tell what the nodes of the newest run took; asked once, after a run."""

    def longest_s(self) -> float:
        """Say for how long the oldest run that is under way has been."""

    def terminate(self) -> None:
        """Ask all runs that are under way to end."""


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


def open_session(path: Path, asked: Execution, profile: Path | None = None) -> AnySession:
    """Make the session that was asked for; raises ModelBroken, ProviderMissing, CallWrong."""
    check_known(asked.provider)
    if CHAINS.get(asked.provider, ("",))[0] == OPENVINO:
        from hilgui.inference.openvino_session import OpenVinoSession

        return OpenVinoSession(path, asked)
    return Session(
        path,
        provider=asked.provider,
        threads=asked.threads,
        spinning=asked.spinning,
        precision=asked.precision,
        cuda_graph=asked.cuda_graph,
        profile=profile,
    )


class Session:
    """Owns the native session; `run` may be called by several threads at a time."""

    def __init__(
        self,
        path: Path,
        *,
        provider: str,
        threads: int,
        spinning: bool,
        precision: str = "model",
        cuda_graph: bool = False,
        profile: Path | None = None,
    ) -> None:
        """Load a model; raises ModelBroken, ProviderMissing, CallWrong. Node times go to a file called `profile…`."""
        self._path = path
        facts = read_onnx(path)
        check_outside(path, facts)
        maker = _Maker(
            path, Execution(provider, precision, threads, spinning, cuda_graph), precision_of(facts), profile
        )
        self._native = maker.make()
        self._names = [output.name for output in self._native.get_outputs()]
        self._under_way = UnderWay()
        self._own = threading.local()  # buffers on the GPU, one set a thread
        self._shared: Bound | None = None  # or one set for all, where a CUDA graph has their addresses inside
        self._has_graph = cuda_graph
        self._sharing = threading.Lock()
        self.providers: tuple[str, ...] = tuple(self._native.get_providers())
        self.provider: str = self.providers[0]
        self.precision = maker.computes
        self.options = maker.options()
        self.libraries = {"onnxruntime": onnxruntime.__version__}
        if self.provider in (CUDA, TENSORRT):
            self.libraries |= gpu_libraries()
        self.signature = _signature(self._native)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network once; raises ModelBroken when it fails or gives something else than arrays."""
        options = onnxruntime.RunOptions()
        with self._under_way.watched(lambda: setattr(options, "terminate", True)), self._named():
            if self.provider in (CUDA, TENSORRT):
                return self._bound(feeds).run(feeds, options)
            outputs: list[NDArray[Any]] = self._native.run(self._names, feeds, options)
        if not all(isinstance(output, np.ndarray) for output in outputs):
            raise ModelBroken(f"model {self._path} gives outputs that are not tensors", path=self._path)
        return outputs

    def profiled(self) -> Profile:
        """Tell what the nodes of the newest run took; closes the profile, so it is asked once."""
        return read_profile(self.end_profile())

    def end_profile(self) -> Path:
        """Close the profile that was asked for; give its file."""
        return Path(self._native.end_profiling())

    def longest_s(self) -> float:
        """Say for how long the oldest run that is under way has been."""
        return self._under_way.longest_s()

    def terminate(self) -> None:
        """Ask all runs that are under way to end; they raise InferenceHung at their next operator."""
        self._under_way.end_all()

    def _bound(self, feeds: Mapping[str, NDArray[Any]]) -> Bound:
        if self._has_graph:
            with self._sharing:
                if self._shared is None:
                    self._shared = Bound(self._native, self.signature.outputs, feeds, "cuda")
                return self._shared
        bound: Bound | None = getattr(self._own, "bound", None)
        if bound is None or not bound.fits(feeds):
            bound = self._own.bound = Bound(self._native, self.signature.outputs, feeds, "cuda")
        return bound

    @contextmanager
    def _named(self) -> Iterator[None]:
        with translated(self._path, "fails while it runs"):
            yield


class UnderWay:
    """The runs that have begun and not ended, with the way to end each."""

    def __init__(self) -> None:
        self._runs: dict[int, tuple[float, Any]] = {}

    @contextmanager
    def watched(self, end: Any) -> Iterator[None]:
        """Count the block as a run of this thread; `end` asks it to stop."""
        key = threading.get_ident()
        self._runs[key] = (time.monotonic(), end)
        try:
            yield
        finally:
            del self._runs[key]

    def longest_s(self) -> float:
        """Give the age of the oldest run, 0 where there is none."""
        now = time.monotonic()
        return max((now - started for started, _ in list(self._runs.values())), default=0.0)

    def end_all(self) -> None:
        """Ask every run to stop."""
        for _, end in list(self._runs.values()):
            end()


class _Maker:
    """Chooses the providers of one session and makes it."""

    def __init__(self, path: Path, asked: Execution, file: str, profile: Path | None) -> None:
        check_known(asked.provider)
        self._path = path
        self._asked = asked
        self._file = file  # precision of the file
        self._profile = profile
        self._name = "cpu"
        self.computes = file

    def make(self) -> onnxruntime.InferenceSession:
        name = self._asked.provider
        if name == "cpu":
            return self._open("cpu")
        if name == "auto":
            return self._make_best()
        wanted = CHAINS[name][0]
        if wanted not in onnxruntime.get_available_providers():
            self._open("cpu")  # where the model is what is broken, this says so
            raise _missing(name, wanted)
        load_libraries()
        try:
            session = self._open(name)
        except MemoryExhausted:
            raise
        except ModelBroken as failure:
            self._open("cpu")
            raise _missing(name, wanted) from failure
        if session.get_providers()[0] != wanted:
            raise _missing(name, wanted)
        return session

    def options(self) -> dict[str, str]:
        """Give what the session was told, for the record."""
        told = {key: str(value) for key, value in session_options(self._asked, self._name).items()}
        for provider, options in self._chain(self._name):
            told |= {f"{provider}.{key}": value for key, value in options.items() if not key.endswith("_path")}
        return told

    def _make_best(self) -> onnxruntime.InferenceSession:
        """Take CUDA where it works; TensorRT is for those who ask, as it builds for minutes and changes results."""
        if not gpu_name() or CUDA not in onnxruntime.get_available_providers():
            return self._open("cpu")
        load_libraries()
        try:
            session = self._open("cuda")
        except ModelBroken:
            session = self._open("cpu")
        if session.get_providers()[0] != CUDA:
            self._name = "cpu"
            log.warning("there is a GPU, but models run on the CPU: %s", what_is_missing(CUDA))
        return session

    def _chain(self, name: str) -> Chain:
        engine = None
        if name == "tensorrt":
            made = Engine(fingerprint(self._path), tensorrt_version(), gpu_name(), self.computes)
            engine = made.folder(Path(platformdirs.user_cache_dir("hilgui", appauthor=False)) / "engines")
        return chain(self._asked, name, self.computes, engine)

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        self._name = name
        self.computes = computes_in(self._asked, CHAINS[name][0], self._file)
        providers = self._chain(name)
        for _, options in providers:
            if "trt_engine_cache_path" in options:  # an engine is code for the GPU: nobody else writes there
                Path(options["trt_engine_cache_path"]).mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ.pop("ORT_LOAD_CONFIG_FROM_MODEL", None)  # or the library asks for settings in the model's metadata
        with translated(self._path, "is not a model that onnxruntime can load"):
            session = onnxruntime.InferenceSession(
                str(self._path),
                _options(session_options(self._asked, name), self._profile),
                providers=providers,
                enable_fallback=0,
                read_config_from_model=0,
            )
            session.disable_fallback()
            return session


def _options(wanted: dict[str, Any], profile: Path | None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    options.intra_op_num_threads = wanted["intra_op_num_threads"]
    options.inter_op_num_threads = wanted["inter_op_num_threads"]
    options.enable_mem_pattern = wanted["enable_mem_pattern"]
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERROR
    for key, value in wanted.items():
        if key.startswith("session."):
            options.add_session_config_entry(key, value)
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
def translated(path: Path, what: str) -> Iterator[None]:
    """Turn what onnxruntime raises into ModelBroken with its first line, or the kind of it that has a remedy."""
    try:
        yield
    except _FAILURES as failure:
        lines = str(failure).strip().splitlines() or [type(failure).__name__]
        said = str(failure).lower()
        kind: type[ModelBroken] = ModelBroken
        if isinstance(failure, MemoryError) or any(words in said for words in _NO_ROOM):
            kind = MemoryExhausted
        elif _TERMINATED in said:
            kind = InferenceHung
        raise kind(f"model {path} {what}: {lines[0][:300]}", path=path) from failure
