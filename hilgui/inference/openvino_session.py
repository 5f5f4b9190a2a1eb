"""OpenVINO behind the interface of a session: its own runtime, as the extra `hilgui[openvino]` brings it.

It computes in bf16 where the processor has it and it is asked to (`--precision bf16`); fp32 otherwise, although the
library itself would take bf16 without a word: results must not depend on the processor.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import InferenceHung, MemoryExhausted, ModelBroken, ProviderMissing
from hilgui.inference.device import cpu_name, package_version
from hilgui.inference.execution import OPENVINO, Execution, computes_in
from hilgui.inference.onnx_file import precision_of, read_onnx
from hilgui.inference.profile import Profile
from hilgui.inference.protocol import Dim, Signature, Tensor
from hilgui.inference.providers import what_is_missing
from hilgui.inference.session import UnderWay
from hilgui.inference.trust import check_outside

_TYPES = {
    "f32": "float",
    "f16": "float16",
    "f64": "double",
    "i64": "int64",
    "i32": "int32",
    "u8": "uint8",
    "i8": "int8",
}


class OpenVinoSession:
    """Owns one compiled model; each thread has a request of its own."""

    def __init__(self, path: Path, asked: Execution) -> None:
        """Load and compile a model for the CPU; raises ModelBroken, ProviderMissing."""
        openvino = _openvino()
        self._path = path
        facts = read_onnx(path)
        check_outside(path, facts)
        self.precision = computes_in(asked, OPENVINO, precision_of(facts))
        core = openvino.Core()
        if self.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ProviderMissing(f"bf16 was asked for, and {cpu_name()} does not have it; leave --precision out")
        parallel = os.cpu_count() or 1
        config = {
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": asked.threads if asked.threads > 1 else parallel,
            "NUM_STREAMS": 1 if asked.threads > 1 else parallel,  # one thread a picture: so many pictures at once
            "PERF_COUNT": True,
        }
        with self._translated("is not a model that OpenVINO can load"):
            network = core.read_model(str(path))
            self._compiled = core.compile_model(network, "CPU", config)
        self._own = threading.local()
        self._under_way = UnderWay()
        self._newest: Any = None
        self.provider = OPENVINO
        self.providers = (OPENVINO,)
        self.libraries = {"openvino": package_version("openvino") or str(openvino.__version__)}
        self.options = {key: str(value) for key, value in config.items()}
        self.signature = Signature(
            tuple(_tensor(each) for each in network.inputs),
            tuple(_tensor(each) for each in network.outputs),
            dict(facts.metadata),
        )

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network once; raises ModelBroken."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        self._newest = request
        with self._under_way.watched(request.cancel), self._translated("fails while it runs"):
            request.start_async(dict(feeds), share_inputs=True)
            request.wait()
            return [np.array(each.data) for each in request.output_tensors]

    def profiled(self) -> Profile:
        """Tell what the nodes of the newest run took, by the counters that OpenVINO keeps anyhow."""
        operators: dict[str, int] = {}
        times: dict[str, float] = {}
        for node in self._newest.get_profiling_info() if self._newest is not None else ():
            if node.status == node.EXECUTED:
                operators[node.node_type] = operators.get(node.node_type, 0) + 1
                took = node.real_time.total_seconds() * 1e6
                times[node.node_type] = times.get(node.node_type, 0.0) + took
        return Profile({OPENVINO: operators}, {OPENVINO: times})

    def longest_s(self) -> float:
        """Say for how long the oldest run that is under way has been."""
        return self._under_way.longest_s()

    def terminate(self) -> None:
        """Ask all runs that are under way to end."""
        self._under_way.end_all()

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, ValueError, TypeError, MemoryError) as failure:
            lines = [line for line in str(failure).strip().splitlines() if line.strip()] or [type(failure).__name__]
            kind: type[ModelBroken] = ModelBroken
            if isinstance(failure, MemoryError) or "alloc" in str(failure).lower():
                kind = MemoryExhausted
            elif "cancel" in str(failure).lower():
                kind = InferenceHung
            raise kind(f"model {self._path} {what}: {lines[-1][:300]}", path=self._path) from failure


def _openvino() -> Any:
    """Import the library without its telemetry, which would tell the network about the import."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: there is no such module
    try:
        import openvino
    except ImportError as failure:
        raise ProviderMissing(f"openvino was asked for: {what_is_missing(OPENVINO)}") from failure
    return openvino


def _tensor(declared: Any) -> Tensor:
    shape: list[Dim] = [int(size.get_length()) if size.is_static else None for size in declared.get_partial_shape()]
    kind = declared.get_element_type().get_type_name()
    return Tensor(declared.get_any_name(), tuple(shape), f"tensor({_TYPES.get(kind, kind)})")
