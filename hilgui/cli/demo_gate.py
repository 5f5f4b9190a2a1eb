"""`hilgui demo --gate`: renders as many drives as the statistics ask for, replays both models, and decides."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from hilgui.cli.console import Ticker, notes, results
from hilgui.cli.gate import run_gate
from hilgui.cli.replaying import run_queue
from hilgui.errors import CallWrong
from hilgui.numerals import number_of
from hilgui.pipeline import RunPlan
from hilgui.records import Outcome, People
from hilgui.resources import shipped
from hilgui.settings import Settings
from hilgui.store import list_runs

CANDIDATES = ("candidate", "retrained")
SECONDS = 8.0
_CYCLE = ("night", "day", "night", "dusk_rain")  # half of all traffic deaths on foot happen in the dark
_FIRST_SEED = 20_000  # training used 1,000 to 5,000, the shipped drives two-digit ones, measuring 9,000


@dataclass(frozen=True, slots=True)
class Drive:
    """One rendered drive; the same seed gives the same frames."""

    condition: str
    seed: int

    @property
    def name(self) -> str:
        """Name its files by all that decides about its frames, so that a longer drive is not taken for this one."""
        return f"{self.condition}-seed{self.seed}-{SECONDS:g}s"


def drives_of(count: int) -> list[Drive]:
    """Plan so many drives, the conditions in turn."""
    return [Drive(_CYCLE[number % len(_CYCLE)], _FIRST_SEED + number) for number in range(count)]


def run_demo_gate(settings: Settings, *, drives: int, candidate: str, out: Path | None, debug: bool) -> int:
    """Render, replay and decide; give the exit code of the decision. What exists already is not made again."""
    if candidate not in CANDIDATES:
        raise CallWrong(f"there is no demo model {candidate}; there are {', '.join(CANDIDATES)}")
    folder = settings.home / "demo-drives"
    planned = drives_of(drives)
    _render([drive for drive in planned if not _video(folder, drive).with_suffix(".coco.json").is_file()], folder)
    runs = (out or settings.runs / f"demo-gate-{candidate}").resolve()
    done, damaged = finished_runs(runs)
    for sentence in damaged:
        notes.print(f"{sentence}; its drive is replayed again", markup=False)
    plans = list(_plans(planned, folder, candidate, runs, settings))
    queue = [plan for plan in plans if plan.source.stem not in done]
    if queue:
        notes.print(f"{number_of(len(queue), 'drive')} to replay, {len(done)} done", markup=False)
    broken = [each for each in run_queue(queue, debug=debug) if each.outcome is not Outcome.PASS]
    for each in broken:
        notes.print(f"{each.drive}: {each.outcome} {each.sentence}", markup=False)
    if any(each.outcome is Outcome.ABORTED for each in broken):
        return Outcome.ABORTED.exit_code
    done, _ = finished_runs(runs)
    names = [str(done[plan.source.stem]) for plan in plans if plan.source.stem in done]
    results.print(f"hilgui gate {shipped('assets/demo/gate.yaml')} --runs {runs}", markup=False)
    return run_gate([str(shipped("assets/demo/gate.yaml"))], names, settings, as_json=False)


def finished_runs(runs: Path) -> tuple[dict[str, Path], list[str]]:
    """Give the runs that ended well, by the name of their drive, and a sentence for each that is damaged."""
    found = list_runs(runs)
    good = [run for run in found if run.outcome == Outcome.PASS.value and run.candidate]
    return {Path(run.source).stem: run.folder for run in good}, [run.problem for run in found if run.problem]


def _plans(drives: list[Drive], folder: Path, candidate: str, runs: Path, settings: Settings) -> Iterator[RunPlan]:
    demo = shipped("assets/demo")
    for drive in drives:
        video = _video(folder, drive)
        yield RunPlan(
            source=video,
            baseline=demo / "baseline.onnx",
            candidate=demo / f"{candidate}.onnx",
            out=runs,
            settings=settings,
            truth=video.with_suffix(".coco.json"),
            provider=settings.provider,
            people=People(settings.operator, settings.bench, "hilgui demo models", "demo of the gate"),
            command=tuple(sys.argv),
        )


def _video(folder: Path, drive: Drive) -> Path:
    return folder / f"{drive.name}.mp4"


def _render(drives: list[Drive], folder: Path) -> None:
    """Render what is missing, one drive a core; a drive that was cut off is rendered again."""
    if not drives:
        return
    context = multiprocessing.get_context("spawn")
    with (
        Ticker("rendering", len(drives)) as ticker,
        ProcessPoolExecutor(mp_context=context) as pool,
    ):
        told = ticker.count("drives")
        waiting = [pool.submit(_render_one, drive, folder) for drive in drives]
        try:
            for done, each in enumerate(as_completed(waiting), 1):
                each.result()
                told(done, len(drives))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _render_one(drive: Drive, folder: Path) -> None:
    from hilgui.scenes.weather import CONDITIONS
    from hilgui.scenes.write import write_drive

    parent = os.getppid()

    def leave_with_parent(done: int, frames: int) -> None:
        if os.getppid() != parent:  # killed: nobody waits for this drive any more
            os._exit(1)

    write_drive(
        folder, drive.name, CONDITIONS[drive.condition], drive.seed, SECONDS, crf=25, progress=leave_with_parent
    )
