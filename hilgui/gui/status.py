"""What the status strip shows: made by a page or from the progress of a run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # records bring numpy along, which the first sight of the window does not need
    from hilgui.records import Role  # noqa: TC004 - the annotation stays a string, nobody asks for its type


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """Figures of the run on the screen; None is "not known", and the strip shows a dash."""

    provider: str = ""  # execution provider as the session reports it: "CPUExecutionProvider"
    device: str = ""  # "NVIDIA H100", a processor name
    gpu_expected: bool = False  # the run asked for a GPU, or the machine has one and nobody asked for the CPU
    fps: float | None = None  # evaluated frames per second
    latency_ms: dict[Role, tuple[float, float]] = field(default_factory=dict)  # p50 and p99
    deadline_ms: float | None = None
    dropped: int | None = None
    skipped: int | None = None
    time_s: float | None = None  # recording time of the frame on the screen
    duration_s: float | None = None
    is_bench_unfit: bool = False  # by the self-check in the run's header
    attested: tuple[str, ...] = ()  # what really ran, a line a model: "baseline: CPU · 8 of 8 nodes · fp32 (…)"


def provider_words(provider: str, device: str) -> str:
    """Say what runs on what, as people say it: "CPU · 8 threads", "CUDA · NVIDIA H100"."""
    short = provider.removesuffix("ExecutionProvider")
    name = {"cpu": "CPU", "Tensorrt": "TensorRT", "tensorrt": "TensorRT", "cuda": "CUDA"}.get(short, short)
    is_said = not device or device.lower() == name.lower()
    return name if is_said else f"{name} · {device}"


def is_cpu(provider: str) -> bool:
    """Say whether a provider computes on the processor."""
    return provider.lower().removesuffix("executionprovider") == "cpu"


def machine_has_gpu() -> bool:
    """Say whether an NVIDIA driver is installed here, without loading any library."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def clock_words(seconds: float) -> str:
    """Write a recording time: "0:07.25", "1:02:03.00"."""
    hundredths = round(max(seconds, 0.0) * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def span_words(seconds: float) -> str:
    """Write a time left: "8 s", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
