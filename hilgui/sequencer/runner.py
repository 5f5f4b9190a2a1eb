"""Runs one case: checks what it needs, opens rig and models, takes its steps, judges it, always winds up."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hilgui import plugins
from hilgui.errors import CallWrong, CaseBroken, HilguiError
from hilgui.models import Registry
from hilgui.numerals import number_of
from hilgui.pipeline import RunPlan
from hilgui.records import Outcome, People
from hilgui.sequencer.case import Controller
from hilgui.sequencer.judging import Evidence, gravest
from hilgui.sequencer.loading import LoadedCase, broken_by, flaws_with_rig
from hilgui.sequencer.operator import Operator
from hilgui.sequencer.player import Player
from hilgui.sequencer.results import CaseResult, CriterionResult, Frames
from hilgui.sequencer.rig_desk import RigDesk, RigEyes
from hilgui.sequencer.steps import ReplayStep
from hilgui.sequencer.taking import Taking
from hilgui.sequencer.tidings import Notes, RedStep, Stopped, Told, Unanswered
from hilgui.settings import Settings
from hilgui.sources.camera import camera_beside, is_camera, shown_drive
from hilgui.store import RunReader
from hilgui.stream import StopToken
from hilgui.truth import find_truth

log = logging.getLogger(__name__)

_TEARDOWN_S = 60.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: Outcome
    reasons: tuple[str, ...]
    notes: Notes
    teardown: tuple[str, ...]
    counts: dict[str, int]
    rig: str


class CaseRunner:
    """Runs cases one at a time. `told` hears of steps, progress and questions, on the thread that calls `run`."""

    def __init__(self, settings: Settings, operator: Operator, told: Told, stop: StopToken) -> None:
        self._settings = settings
        self._operator = operator
        self._told = told
        self._stop = stop

    def run(self, loaded: LoadedCase) -> CaseResult:
        """Run a case, again where the bench broke and it allows for that; always gives a result."""
        started, began = datetime.now(UTC), time.monotonic()
        missing = missing_needs(loaded)
        if missing:
            return _result(loaded, None, missing, self._operator.name, started, 0.0)
        attempts, tried = 1, self._attempt(loaded)
        while tried.outcome is Outcome.ERROR and attempts <= loaded.case.retries and not self._stop.is_set:
            attempts, tried = attempts + 1, self._attempt(loaded)
        return self._judged(loaded, tried, attempts, started, began)

    def _attempt(self, loaded: LoadedCase) -> _Attempt:
        notes, teardown, counts, rig_name = Notes(), [], {}, ""
        outcome, reasons = Outcome.PASS, tuple[str, ...]()
        taking: Taking | None = None
        with ExitStack() as open_things:
            try:
                rig = self._open_rig(loaded, open_things)
                rig_name = "" if rig is None else rig.name
                player = self._open_player(loaded, rig, open_things)
                taking = self._taking(loaded, rig, player)
                notes = taking.notes
                try:
                    ready = taking.prepare(loaded.case.replays[0]) if player is not None else None
                    if loaded.case.moves:
                        taking.arm(ready)
                    taking.take(loaded.case.steps)
                except Stopped as stopped:
                    taking.stop_everything(str(stopped))
                    raise
                except RedStep:
                    raise
                except Exception as failure:  # whatever it is, a rig that may be on stops first
                    taking.stop_everything(str(failure))
                    raise
            except Stopped as stopped:
                outcome, reasons = Outcome.ABORTED, (str(stopped),)
            except RedStep as red:
                outcome, reasons = Outcome.FAIL, (str(red),)
            except Unanswered as silence:
                outcome, reasons = Outcome.INCONCLUSIVE, (str(silence),)
            except HilguiError as failure:
                outcome, reasons = Outcome.ERROR, (str(failure),)
            except Exception as failure:  # the top of a case: it becomes a verdict, the suite goes on
                log.exception("the case %s failed", loaded.id)
                sentence = f"hilgui itself failed: {type(failure).__name__}: {failure}; please report the details"
                outcome, reasons = Outcome.ERROR, (sentence,)
            if taking is not None:
                teardown = taking.wind_up(loaded.case.teardown, _TEARDOWN_S)
                try:
                    taking.disarm()
                except HilguiError as failure:
                    teardown.append(f"disarm: {failure}")
                counts = dict(rig.counts) if rig is not None else {}
        return _Attempt(outcome, reasons, notes, tuple(teardown), counts, rig_name)

    def _open_rig(self, loaded: LoadedCase, open_things: ExitStack) -> RigEyes | None:
        case = loaded.case
        if case.rig is None:
            return None
        if flaws := flaws_with_rig(loaded):  # before anything is opened or moves
            raise broken_by(loaded.path, flaws)
        profile, home = loaded.beside(case.rig.profile), self._settings.home
        rig = RigDesk(profile, home) if case.moves else RigEyes(profile, home)
        open_things.callback(rig.close)
        rig.open(with_engine=bool(case.replays))
        return rig

    def _open_player(self, loaded: LoadedCase, rig: RigEyes | None, open_things: ExitStack) -> Player | None:
        if not loaded.case.replays:
            return None
        player = player_for(loaded.case.controller, rig)
        open_things.callback(player.close)
        return player

    def _taking(self, loaded: LoadedCase, rig: RigEyes | None, player: Player | None) -> Taking:
        return Taking(
            loaded.id,
            self._operator,
            self._stop,
            self._told,
            rig=rig,
            player=player,
            plan=lambda step: self._plan(loaded, step),
            picture=loaded.beside,
            deadline_s=time.monotonic() + loaded.case.timeout_s,
        )

    def _plan(self, loaded: LoadedCase, step: ReplayStep) -> RunPlan:
        source, models = loaded.case.source, loaded.case.models
        assert source is not None and models is not None
        drive = Path(source.path)
        drive = camera_beside(drive, loaded.path.parent) if is_camera(drive) else loaded.beside(source.path)
        truth = None
        if source.truth is None:
            truth = find_truth(shown_drive(drive) or drive)
        elif source.truth not in (None, "none"):
            truth = loaded.beside(str(source.truth))
        return RunPlan(
            source=drive,
            baseline=self._model(loaded, models.baseline),
            candidate=None if models.candidate is None else self._model(loaded, models.candidate),
            out=self._settings.runs,
            settings=self._settings,
            truth=truth,
            provider=self._settings.provider,
            classes=source.classes,
            class_map=source.class_map,
            speed=step.speed or source.speed,
            fps=source.fps,
            topic=source.topic,
            duration_s=source.duration_s,
            frames=step.frames or source.frames,
            exposure=step.exposure,
            corrupt=step.corrupt,
            corrupt_seed=step.corrupt_seed,
            corrupt_depth=None if step.corrupt_depth is None else loaded.beside(step.corrupt_depth),
            people=People(
                self._operator.name,
                self._settings.bench,
                self._settings.device_under_test,
                f"test case {loaded.id}",
                loaded.case.requirements,
            ),
            command=("hilgui", "run", str(loaded.path)),
        )

    def _model(self, loaded: LoadedCase, name: str) -> Path:
        path = loaded.beside(name)
        if path.is_file() or "@" not in name:
            return path
        try:
            return Registry(self._settings.models).path(name)
        except CallWrong as failure:
            raise CaseBroken(f"{loaded.path} names the model {name}: {failure}", path=loaded.path) from failure

    def _judged(
        self, loaded: LoadedCase, tried: _Attempt, attempts: int, started: datetime, began: float
    ) -> CaseResult:
        reasons = list(tried.reasons)
        criteria: tuple[CriterionResult, ...] = ()
        frames = Frames()
        outcomes = [tried.outcome]
        readers: list[RunReader] = []
        try:
            readers = [RunReader(folder) for folder in tried.notes.runs]
            counts = tried.counts | {"refused": tried.notes.refused}
            evidence = Evidence(readers, tried.notes.captured, counts)
            frames = evidence.frames
            criteria = tuple(evidence.judge(criterion) for criterion in loaded.case.criteria)
        except HilguiError as failure:
            outcomes.append(Outcome.ERROR)
            reasons.append(f"the runs cannot be judged: {failure}")
        finally:
            for reader in readers:
                reader.close()
        outcomes += [each.outcome for each in criteria]
        for outcome, whys in tried.notes.outcomes:
            outcomes.append(outcome)
            reasons += whys
        if not frames.are_complete:
            outcomes.append(Outcome.INCONCLUSIVE)
            if frames.candidate_skipped:
                reasons.append(f"the candidate skipped {number_of(frames.candidate_skipped, 'frame')}")
        if tried.teardown and tried.outcome is Outcome.PASS:
            outcomes.append(Outcome.ERROR)
            reasons.append("the teardown went wrong")
        duration_s = time.monotonic() - began
        return _result(
            loaded,
            gravest(outcomes),
            reasons,
            self._operator.name,
            started,
            duration_s,
            criteria=criteria,
            frames=frames,
            tried=tried,
            attempts=attempts,
        )


def player_for(controller: Controller | None, rig: RigEyes | None) -> Player:
    """Start the models' process with what its mode may hold: nothing, a watch, or with a controller a hand."""
    if controller is not None:
        assert isinstance(rig, RigDesk)
        return Player(reflex=(rig.take_hand(), controller))
    return Player(None if rig is None else rig.take_watch())


def missing_needs(loaded: LoadedCase) -> tuple[str, ...]:
    """Say which declared needs this bench does not have; empty where the case can run."""
    missing = []
    for need in loaded.case.needs:
        if need == "gpu":
            if not _has_gpu():
                missing.append("needs a GPU that onnxruntime can use; `hilgui doctor` says what is missing")
            continue
        group, _, name = need.partition(":")
        if name not in plugins.working(group):
            missing.append(f"needs the plug-in {name} of {group}, which is not installed")
    return tuple(missing)


def _has_gpu() -> bool:
    import onnxruntime

    available = set(onnxruntime.get_available_providers())
    with suppress(OSError):
        return "CUDAExecutionProvider" in available and any(Path("/dev").glob("nvidia[0-9]*"))
    return False


def _result(
    loaded: LoadedCase,
    outcome: Outcome | None,
    reasons: tuple[str, ...] | list[str],
    operator: str,
    started: datetime,
    duration_s: float,
    *,
    criteria: tuple[CriterionResult, ...] = (),
    frames: Frames | None = None,
    tried: _Attempt | None = None,
    attempts: int = 1,
) -> CaseResult:
    notes = Notes() if tried is None else tried.notes
    return CaseResult(
        id=loaded.id,
        name=loaded.case.name,
        path=str(loaded.path),
        suite=loaded.suite,
        mode=loaded.case.mode,
        outcome=outcome,
        started=started.isoformat(timespec="milliseconds"),
        duration_s=round(duration_s, 3),
        operator=operator,
        reasons=tuple(dict.fromkeys(reasons)),
        criteria=criteria,
        frames=frames or Frames(),
        runs=tuple(str(folder) for folder in notes.runs),
        tags=loaded.case.tags,
        requirements=loaded.case.requirements,
        parameters=dict(loaded.parameters),
        captured=dict(notes.captured),
        rig="" if tried is None else tried.rig,
        teardown=() if tried is None else tried.teardown,
        attempts=attempts,
    )
