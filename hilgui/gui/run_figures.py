"""What the status strip says about a stored run beyond its frames."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from hilgui.gui.status import machine_has_gpu
from hilgui.records import RunHeader
from hilgui.store import RunReader


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Of one run folder."""

    folder: Path
    fps: float | None  # evaluated frames over wall time; None until the run is finished
    gpu_expected: bool


def read_figures(folder: Path) -> RunFigures:
    """Read them from the store, which may be slow; raises StoreBroken."""
    reader = RunReader(folder)
    try:
        wall_s = reader.meta("wall_s")
        fps = reader.ledger.evaluated / float(wall_s) if wall_s else None
        return RunFigures(folder, fps, expects_gpu(reader.header))
    finally:
        reader.close()


def expects_gpu(header: RunHeader) -> bool:
    """Say whether a GPU was asked for, or nobody asked for the CPU on this machine that has a GPU."""
    asked = header.settings.get("provider", "auto")
    if asked == "auto":
        return header.host.get("name") == platform.node() and machine_has_gpu()
    return asked in ("cuda", "tensorrt", "directml")
