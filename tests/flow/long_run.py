"""A drive of a second, looped until it is a long one."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment, Outcome
from hilgui.settings import load_settings
from tests.flow.looped import Looped
from tests.flow.tiny import write_drive, write_model

LAP = 40


def resident_mib() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def replay_looped(folder: Path, frames: int, every: int) -> tuple[Run, list[float]]:
    """Loop a short drive through two models; give resident memory in MiB each `every` frames, on Linux.

    The candidate misses an object in every frame, so every frame belongs to a clip.
    """
    drive = write_drive(folder / "loop.mp4", LAP)
    settings = load_settings(file=folder / "none.toml", environment={}, disk_reserve_mb=0)
    plan = RunPlan(
        source=drive,
        baseline=write_model(folder / "old.onnx"),
        candidate=write_model(folder / "new.onnx", score=0.3),
        truth=drive.with_suffix(".coco.json"),
        out=folder / "runs",
        settings=settings,
        provider="cpu",
    )
    prepared = prepare(plan)
    seen: list[float] = []

    def look(frame: Frame, _moment: Moment) -> None:
        if sys.platform == "linux" and frame.ref.seq % every == 0:
            gc.collect()
            seen.append(resident_mib())

    try:
        prepared.source = Looped(prepared.source, frames)
        prepared.source.open()
        prepared.truths = {seq: prepared.truths[seq % LAP] for seq in range(frames)}
        run = Run(prepared, Watchers(lambda _progress: None, look))
        assert run.execute().outcome is Outcome.PASS
    finally:
        prepared.close()
    return run, seen


if __name__ == "__main__":
    print(json.dumps(replay_looped(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))[1]))
