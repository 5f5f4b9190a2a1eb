"""Tries a model in a process of its own, with limits of memory and time, before anybody else loads it.

A file of a hundred bytes can ask for gigabytes or never come to an end. Here it ends a child, and the caller gets a
sentence. What the child finds comes back as JSON, never pickled: it ran a stranger's graph.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from hilgui.errors import HilguiError, ModelBroken
from hilgui.inference.protocol import NUMPY_TYPES, Signature, Tensor, fixed
from hilgui.processes import unheard_interrupts
from hilgui.records import Attestation

_LONGEST_ANSWER = 16 << 20
_LOOK_EVERY_S = 0.05
_SPARE_S = 30.0
_START_S = 60.0  # to import onnxruntime on a busy machine
_USUAL_SIDE = 640  # of a picture whose size the file leaves open
_MOST_NUMBERS = 1 << 27  # in one input
_OUT_OF_MEMORY = ("bad allocation", "bad_alloc", "Failed to allocate memory", "out of memory")  # in onnxruntime's words


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one model may take until its first picture is done."""

    memory_mb: int = 2048  # beyond what the process has when it starts
    seconds: float = 60.0  # to load it and run it twice

    @classmethod
    def for_weights(cls, size: int) -> Limits:
        """Give a model of so many bytes what it honestly needs: its weights several times over, and time to read."""
        megabytes = size / 1e6
        return cls(memory_mb=int(2048 + 4 * megabytes), seconds=60.0 + megabytes / 10)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model did: loaded, run once to warm up, and once under the profiler."""

    signature: Signature
    providers: tuple[str, ...]  # of the session, in their order
    load_ms: float
    run_ms: float  # one run, one thread
    memory_mb: float  # most that the process held, less what it had at the start
    shapes: dict[str, tuple[int, ...]]  # of the outputs
    nodes: dict[str, dict[str, int]]  # provider → operator → nodes it took, after optimisation
    share: dict[str, float]  # provider → share of the time in nodes
    attestation: Attestation


def try_model(
    path: Path, *, provider: str = "cpu", size: tuple[int, int] | None = None, limits: Limits | None = None
) -> Trial:
    """Load and run a model on grey in a child; raises ModelBroken (limits too), ProviderMissing as ModelBroken.

    `size`: width and height of the picture where the file leaves them open. Blocks until the child has ended.
    """
    limits = limits or Limits()
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_work, args=(theirs, str(path), provider, size, limits), name="hilgui-preflight", daemon=True
    )
    with unheard_interrupts():
        child.start()
    theirs.close()
    try:
        _receive(path, child, mine, _START_S, None)  # it is ready: importing is not the model's fault
        answer = _receive(path, child, mine, limits.seconds, limits)
    finally:
        child.kill()
        child.join()
        child.close()
        mine.close()
    if "refused" in answer:
        raise ModelBroken(str(answer["refused"]), path=path)
    return _read(path, answer)


def _receive(
    path: Path, child: SpawnProcess, pipe: Connection, seconds: float, limits: Limits | None
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    held = _memory_mb(child.pid)
    while not pipe.poll(_LOOK_EVERY_S):
        if limits is not None and _memory_mb(child.pid) > held + limits.memory_mb:
            raise _too_large(path, limits.memory_mb)
        if time.monotonic() > deadline:
            raise ModelBroken(
                f"model {path} was not done with one picture within {seconds:.0f} s; a loop without end, or far too "
                "large for this machine",
                path=path,
            )
    try:
        answer = json.loads(pipe.recv_bytes(_LONGEST_ANSWER))
    except (EOFError, OSError, ValueError) as failure:
        child.join(5.0)
        raise _died(path, child.exitcode) from failure
    if not isinstance(answer, dict):
        raise _died(path, child.exitcode)
    return answer


def _too_large(path: Path, memory_mb: int) -> ModelBroken:
    return ModelBroken(
        f"model {path} wants more than {memory_mb} MB for one picture; it is damaged, made to harm, or needs a larger "
        "limit",
        path=path,
    )


def _died(path: Path, code: int | None) -> ModelBroken:
    name = f"exit status {code}"
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
    return ModelBroken(f"model {path} crashed the process that tried it ({name})", path=path)


def _memory_mb(pid: int | None) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except (psutil.Error, ValueError):
        return 0.0


def _read(path: Path, answer: dict[str, Any]) -> Trial:
    def tensors(told: list[Any]) -> tuple[Tensor, ...]:
        return tuple(Tensor(name, tuple(shape), dtype) for name, shape, dtype in told)

    try:
        return Trial(
            Signature(tensors(answer["inputs"]), tensors(answer["outputs"]), dict(answer["metadata"])),
            tuple(answer["providers"]),
            float(answer["load_ms"]),
            float(answer["run_ms"]),
            float(answer["memory_mb"]),
            {name: tuple(shape) for name, shape in answer["shapes"].items()},
            answer["nodes"],
            answer["share"],
            Attestation(**answer["attestation"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as failure:
        raise ModelBroken(f"model {path} made the process that tried it answer nonsense", path=path) from failure


def _work(pipe: Connection, path: str, provider: str, size: tuple[int, int] | None, limits: Limits) -> None:
    """Be the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    import onnxruntime  # noqa: F401  # before memory is limited

    _be_quiet()
    _limit_time(limits.seconds)
    pipe.send_bytes(b"{}")
    if provider == "cpu":  # CUDA reserves addresses by the terabyte; there the parent watches what is really held
        _limit_memory(limits.memory_mb)
    try:
        answer = _try(Path(path), provider, size)
    except HilguiError as failure:
        answer = {"refused": str(failure)}
    except MemoryError:
        answer = {"refused": str(_too_large(Path(path), limits.memory_mb))}
    if any(said in str(answer.get("refused")) for said in _OUT_OF_MEMORY):
        answer = {"refused": str(_too_large(Path(path), limits.memory_mb))}
    pipe.send_bytes(json.dumps(answer).encode())


def _be_quiet() -> None:
    """Keep what native code writes on its way out of the operator's terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _limit_time(seconds: float) -> None:
    """Make sure that we end even where the parent was killed before it could end us."""
    if sys.platform != "win32":
        import resource

        spent = int(time.process_time() + seconds + _SPARE_S)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (spent, spent))


def _limit_memory(memory_mb: int) -> None:
    if sys.platform == "win32":
        return  # there the parent watches
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = psutil.Process().memory_info().vms + memory_mb * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _try(path: Path, provider: str, size: tuple[int, int] | None) -> dict[str, Any]:
    from hilgui.inference.attest import attest
    from hilgui.inference.execution import Execution
    from hilgui.inference.session import open_session

    before = _memory_mb(None)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="hilgui-preflight-") as folder:
        session = open_session(path, Execution(provider), Path(folder) / "run")
        loaded = time.perf_counter()
        feeds = {each.name: _grey(path, each, size) for each in session.signature.inputs}
        session.run(feeds)
        warm = time.perf_counter()
        outputs = session.run(feeds)
        done = time.perf_counter()
        profile = session.profiled()
    signature = session.signature
    return {
        "inputs": [(each.name, each.shape, each.dtype) for each in signature.inputs],
        "outputs": [(each.name, each.shape, each.dtype) for each in signature.outputs],
        "metadata": signature.metadata,
        "providers": [session.provider, *(each for each in profile.nodes if each != session.provider)],
        "load_ms": (loaded - started) * 1e3,
        "run_ms": (done - warm) * 1e3,
        "memory_mb": max(_memory_mb(None) - before, 0.0),
        "shapes": {each.name: value.shape for each, value in zip(signature.outputs, outputs, strict=True)},
        "nodes": profile.operators,
        "share": profile.share,
        "attestation": asdict(attest(session, profile)),
    }


def _grey(path: Path, declared: Tensor, size: tuple[int, int] | None) -> NDArray[Any]:
    """Make an input: one picture, where a size is open as large as asked for."""
    dtype = NUMPY_TYPES.get(declared.dtype)
    if dtype is None:
        raise ModelBroken(f"model {path}: its input {declared} is {declared.dtype}, which is no picture", path=path)
    sides = size or (_USUAL_SIDE, _USUAL_SIDE)
    shape = [fixed(each) or 1 for each in declared.shape]
    if len(shape) == 4:
        is_last = fixed(declared.shape[3]) in (1, 3) and fixed(declared.shape[1]) not in (1, 3)
        down, across = (1, 2) if is_last else (2, 3)
        shape[down] = fixed(declared.shape[down]) or sides[1]
        shape[across] = fixed(declared.shape[across]) or sides[0]
        if not is_last and fixed(declared.shape[1]) is None:
            shape[1] = 3
    if np.prod(shape, dtype=float) > _MOST_NUMBERS:
        raise ModelBroken(f"model {path}: its input {declared} is larger than any picture", path=path)
    if np.issubdtype(dtype, np.integer) and len(shape) < 4:
        return np.full(shape, sides[0], dtype)  # sizes of the picture, most often
    return np.full(shape, 0 if dtype is np.bool_ else 0.5 if np.issubdtype(dtype, np.floating) else 114, dtype)
