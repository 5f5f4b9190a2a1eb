"""One drive, or a session with a camera, through one or two models: threads, ledger, verdict."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilgui.errors import StoreBroken
from hilgui.numerals import number_of
from hilgui.pipeline.judge import Judge, Judged
from hilgui.pipeline.preparation import Prepared
from hilgui.pipeline.progress import Progress, Tally
from hilgui.pipeline.right_of_way import RightOfWay, give_way
from hilgui.pipeline.watchdog import Watchdog
from hilgui.records import Fate, Frame, Ledger, Loss, Moment, Outcome, Role, Verdict
from hilgui.shadow import Paired, Pairing
from hilgui.sources.live import LiveSource
from hilgui.sources.recorder import Recorder
from hilgui.store import RunWriter
from hilgui.stream import Channel, Crew, Mailbox, Overflow, Pace, StopToken
from hilgui.wall_clock import WallClock

log = logging.getLogger(__name__)

_COMMIT_FRAMES = 32
_REPORT_EVERY_S = 0.2
_CHECK_DISK_EVERY_S = 1.0
_LIVE_FRAMES = 4  # between camera and models
_BACKLOG = 2  # once a frame had to go, so many older ones go with it: the newest counts
_PATIENCE = 64  # frames for which results wait for a slow candidate
_LIVE_PATIENCE = 8  # fewer where somebody looks at a camera
_TO_KEEP = 16  # frames between camera and recording

BY_OPERATOR = "stopped by the operator"
TOO_SLOW = "had to be dropped, as the models were too slow"
PAUSED = "came while the operator held the run"


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told: `progress` on the record thread at most five times a second, `frame` on the judge thread.

    `hung` is asked to end the process where a model does not come back; within one process nobody can.
    """

    progress: Callable[[Progress], None]
    frame: Callable[[Frame, Moment], None]
    hung: Callable[[str], None] = log.critical


class Run:
    """Runs once. `execute` blocks until the run has its verdict; `stop` and `pause` come from other threads."""

    def __init__(self, prepared: Prepared, watchers: Watchers) -> None:
        self._prepared = prepared
        self._watchers = watchers
        self._stop = StopToken()
        self._enough = StopToken()  # ends the capture alone; what is under way is finished
        self._stop.on_stop(lambda: self._enough.stop(self._stop.reason))
        self._is_live = prepared.header.source.live
        self._may_capture = threading.Event()
        self._may_capture.set()
        self._writer = RunWriter(prepared.plan.out, prepared.header)
        self._judge = Judge(prepared, self._writer.folder)
        for signal in prepared.vehicle.signals.values() if prepared.vehicle is not None else ():
            self._writer.put_series(signal.name, signal.unit, signal.times, signal.values)
        self._captured = 0
        self._wall_clock = WallClock()
        self._recorder: Recorder | None = None
        if prepared.plan.record:
            self._recorder = Recorder(self._writer.folder, prepared.header.source, prepared.plan.record_mb)
        self._tally = Tally(prepared.header.source.frames)
        self._journal: Channel[Judged] = Channel(64)
        self._from_screen: list[
            tuple[float, float]
        ] = []  # of a filmed screen: recording time, ms from screen to result
        fps = prepared.header.source.fps
        gives_way = prepared.plan.settings.live_candidate == "give_way"
        self._right_of_way = RightOfWay(1e9 / fps) if self._is_live and fps and gives_way else None
        self._offering = 0  # baseline workers that still offer frames to the candidate
        self._last_out = threading.Lock()
        patience = _LIVE_PATIENCE if self._is_live else _PATIENCE
        self._pairing = Pairing(ahead=4 * prepared.header.workers + 4, patience=patience)

    @property
    def folder(self) -> Path:
        """Give the run folder; its header is stored already."""
        return self._writer.folder

    def stop(self, reason: str) -> None:
        """Ask the run to end; it will be ABORTED, with everything acknowledged so far.

        A session with a camera has no other end than its operator's: there it is the normal one.
        """
        (self._enough if self._is_live and reason == BY_OPERATOR else self._stop).stop(reason)
        self._may_capture.set()

    def pause(self) -> None:
        """Hold the source; frames under way are finished."""
        self._may_capture.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_capture.set()

    def execute(self) -> Verdict:
        """Play the drive; raises StoreBroken where even the verdict cannot be written."""
        started = time.monotonic()
        crew = Crew(self._stop)
        frames: Channel[tuple[int, Frame]] = Channel(
            _LIVE_FRAMES, Overflow.DROP_OLDEST if self._is_live else Overflow.BLOCK
        )
        offers: Mailbox[tuple[int, Frame]] = Mailbox()
        keep: Channel[Frame] = Channel(_TO_KEEP, Overflow.DROP_OLDEST)
        sampling = self._judge.sampling
        for closing in (frames.abort, offers.abort, keep.close, self._pairing.abort, sampling.close):
            self._stop.on_stop(closing)
        crew.start("record", self._record)
        crew.start("judge", self._judge_all)
        if sampling.has_thread:
            crew.start("features", sampling.work)
        if self._prepared.factor is None:
            for index in range(self._prepared.header.workers):
                crew.start(f"infer:{index}", lambda: self._infer_all(frames))
        else:
            self._offering = self._prepared.header.workers
            for index in range(self._offering):
                name = "infer:baseline" if index == 0 else f"infer:baseline:{index}"
                crew.start(name, lambda: self._infer_baseline(frames, offers))
            if Role.CANDIDATE in self._prepared.models:
                crew.start("infer:candidate", lambda: self._infer_candidate(offers))
        if self._recorder is not None:
            crew.start("keep", lambda: self._keep(keep))
        if self._is_live:
            crew.start("capture", lambda: self._capture_live(frames, keep))
        else:
            crew.start("capture", lambda: self._capture(frames))
        with self._watchdog() as watchdog:
            crew.join()
        return self._close(watchdog.failure or crew.failure, time.monotonic() - started)

    def _watchdog(self) -> Watchdog:
        settings = self._prepared.plan.settings
        return Watchdog(
            self._prepared.models.values(),
            limit_s=settings.inference_timeout_s,
            limit_mb=settings.memory_limit_mb,
            stop=self._stop.stop,
            give_up=self._watchers.hung,
        )

    def _capture(self, frames: Channel[tuple[int, Frame]]) -> None:
        factor = self._prepared.factor
        pace = None if factor is None else Pace(factor, self._stop)
        for item in self._prepared.source.frames(self._stop):
            self._may_capture.wait()
            if self._stop.is_set:
                break
            ticket = self._captured
            self._captured += 1
            if isinstance(item, Loss):
                self._pairing.give(ticket, item)
                continue
            if pace is not None and self._prepared.header.source.ordered:
                pace.wait_until_due(item.ref.time_s)
            self._judge.sampling.arrived(item.ref)
            frames.put((ticket, item))
        frames.close()
        self._pairing.finish(self._captured)

    def _capture_live(self, frames: Channel[tuple[int, Frame]], keep: Channel[Frame]) -> None:
        """Hand frames on and never wait: what the models cannot take is counted as lost, the oldest first."""
        try:
            for item in self._prepared.source.frames(self._enough):
                ticket = self._captured
                self._captured += 1
                if isinstance(item, Loss):
                    self._pairing.lose(ticket, item)
                    continue
                if self._recorder is not None and keep.put(item) is not None:
                    self._recorder.missed += 1
                if not self._may_capture.is_set():
                    self._pairing.lose(ticket, Loss(item.ref, Fate.SKIPPED, PAUSED))
                    continue
                if self._right_of_way is not None:
                    self._right_of_way.arrived(ticket, time.monotonic_ns())
                self._judge.sampling.arrived(item.ref)
                dropped = frames.put((ticket, item))
                if dropped is not None:
                    for old, frame in (dropped, *frames.take_more(_BACKLOG)):
                        self._pairing.lose(old, Loss(frame.ref, Fate.DROPPED, TOO_SLOW))
            frames.close()
            self._pairing.finish(self._captured)
        finally:
            keep.close()

    def _keep(self, keep: Channel[Frame]) -> None:
        assert self._recorder is not None
        with self._recorder as recorder:
            for frame in keep:
                recorder.write(frame)

    def _infer_all(self, frames: Channel[tuple[int, Frame]]) -> None:
        models = [(role, model, model.workspace()) for role, model in self._prepared.models.items()]
        for ticket, frame in frames:
            outputs = {role: model.infer(frame.image, workspace) for role, model, workspace in models}
            self._pairing.give(ticket, Paired(frame, outputs))

    def _infer_baseline(self, frames: Channel[tuple[int, Frame]], offers: Mailbox[tuple[int, Frame]]) -> None:
        model = self._prepared.models[Role.BASELINE]
        workspace = model.workspace()
        if Role.CANDIDATE not in self._prepared.models:
            for ticket, frame in frames:
                self._pairing.give(ticket, Paired(frame, {Role.BASELINE: model.infer(frame.image, workspace)}))
            return
        for ticket, frame in frames:
            self._pairing.open(ticket, frame)
            if not self._is_live:
                self._offer(offers, ticket, frame)
            self._pairing.give_part(ticket, Role.BASELINE, model.infer(frame.image, workspace))
            if self._is_live:  # the candidate works in the time that the baseline leaves until the next frame
                self._offer(offers, ticket, frame)
        with self._last_out:
            self._offering -= 1
            if not self._offering:
                offers.close()

    def _offer(self, offers: Mailbox[tuple[int, Frame]], ticket: int, frame: Frame) -> None:
        missed = offers.post((ticket, frame))
        if missed is not None:
            self._pairing.give_part(missed[0], Role.CANDIDATE, None)

    def _infer_candidate(self, offers: Mailbox[tuple[int, Frame]]) -> None:
        model = self._prepared.models[Role.CANDIDATE]
        workspace = model.workspace()
        way = self._right_of_way
        if way is not None:
            give_way()
        while True:
            ticket, frame = offers.take()
            started = time.monotonic_ns()
            if way is not None and not way.may_run(ticket, started):
                self._pairing.give_part(ticket, Role.CANDIDATE, None)
                continue
            self._pairing.give_part(ticket, Role.CANDIDATE, model.infer(frame.image, workspace))
            if way is not None:
                way.took(time.monotonic_ns() - started)

    def _judge_all(self) -> None:
        try:
            for item in self._pairing:
                if isinstance(item, Loss):
                    self._journal.put(Judged(item))
                    continue
                judged = self._judge.judge(item)
                if item.frame.ref.shown_ns is not None:
                    waited_ms = (time.monotonic_ns() - item.frame.ref.shown_ns) / 1e6
                    self._from_screen.append((item.frame.ref.time_s, waited_ms))
                self._journal.put(judged)
                if isinstance(judged.frame, Moment):
                    self._watchers.frame(item.frame, judged.frame)
            self._journal.put(self._judge.finish())
        finally:
            self._journal.close()

    def _record(self) -> None:
        disk_checked = reported = 0.0
        try:
            for first in self._journal:
                batch = [first, *self._journal.take_more(_COMMIT_FRAMES - 1)]
                now = time.monotonic()
                if now - disk_checked > _CHECK_DISK_EVERY_S:
                    self._check_disk()
                    disk_checked = now
                self._writer.write(
                    [judged.frame for judged in batch if judged.frame is not None],
                    [finding for judged in batch for finding in judged.findings],
                    [picture for judged in batch for picture in judged.pictures],
                    [seq for judged in batch for seq in judged.evicted.pictures],
                    [clip for judged in batch for clip in judged.evicted.clips],
                    [sample for judged in batch for sample in judged.features],
                )
                self._tally.add(batch, time.monotonic())
                if now - reported > _REPORT_EVERY_S:
                    self._watchers.progress(self._tally.progress(self._captured))
                    reported = now
        finally:
            self._journal.abort()

    def _check_disk(self) -> None:
        reserve = self._prepared.plan.settings.disk_reserve_mb
        free = shutil.disk_usage(self.folder).free / 1e6
        if free < reserve:
            raise StoreBroken(
                f"{free:.0f} MB are free on the disk of {self.folder}, {reserve} MB are kept in reserve; make room",
                path=self.folder,
            )

    def _close(self, failure: BaseException | None, wall_s: float) -> Verdict:
        candidate_skipped = self._pairing.candidate_skipped if self._prepared.factor is not None else 0
        is_cut = self._stop.is_set
        ledger = self._tally.ledger(self._captured, candidate_skipped, self._stop.reason if is_cut else "")
        verdict = self._verdict(ledger, failure)
        try:
            self._writer.put("wall_s", wall_s)
            self._writer.put("figures", self._judge.figures())
            self._writer.put("left_out", [list(pair) for pair in self._judge.left_out])
            self._put_drift()
            notes = (*self._prepared.notes, *self._account(), *self._judge.drift.notes(), *self._screen_latency())
            self._writer.put("notes", list(notes))
            self._writer.finish(verdict, ledger)
        finally:
            self._writer.close()
        self._watchers.progress(self._tally.progress(self._captured))
        if failure is not None:
            raise failure
        return verdict

    def _put_drift(self) -> None:
        """Keep how far each figure lay from the drift reference, window by window, in units of its limit."""
        drift = self._judge.drift
        for name, times_s, ratios in drift.series():
            self._writer.put_series(name, "× limit", times_s, ratios)
        if drift.monitors:
            self._writer.put("drift", drift.as_json())
        if self._judge.sampling.taken:
            self._writer.put("features", {"per_s": self._judge.sampling.per_s})

    def _screen_latency(self) -> tuple[str, ...]:
        """Keep how long it took from the screen to the judged result, frame by frame, and say it."""
        if not self._from_screen:
            return ()
        times_s, waited_ms = np.array(self._from_screen, np.float64).T
        self._writer.put_series("screen to result", "ms", times_s, waited_ms)
        p50, p99 = np.percentile(waited_ms, (50, 99))
        frames = number_of(len(waited_ms), "frame")
        return (f"from the screen to the judged result: p50 {p50:.0f} ms, p99 {p99:.0f} ms of {frames}",)

    def _account(self) -> tuple[str, ...]:
        """Say what happened to models, camera and recording."""
        source = self._prepared.source
        models = tuple(line for model in self._prepared.models.values() for line in model.account())
        models = (*models, *self._judge.sampling.account(), *self._tally.account())
        camera = (*models, *(source.account() if isinstance(source, LiveSource) else ()))
        if self._right_of_way is not None:
            camera = (*camera, *self._right_of_way.account())
        if set_by := self._wall_clock.look():
            camera = (*camera, set_by)
        return camera if self._recorder is None else (*camera, *self._recorder.account())

    def _verdict(self, ledger: Ledger, failure: BaseException | None) -> Verdict:
        if failure is not None:
            return Verdict(Outcome.ERROR, (str(failure) or type(failure).__name__,))
        if self._stop.is_set:
            return Verdict(Outcome.ABORTED, (self._stop.reason,))
        if not ledger.closes:
            return Verdict(Outcome.ERROR, ("the ledger does not close: a frame was lost inside hilgui; report this",))
        reasons = [f"{number_of(count, 'frame')} {why}" for why, count in ledger.losses]
        if not ledger.evaluated:
            reasons.append("no frame was evaluated")
        reasons += (*self._prepared.doubts, *self._judge.doubts)
        reasons += [f"corner case {name} stopped: {why}" for name, why in self._judge.broken]
        return Verdict(Outcome.INCONCLUSIVE if reasons else Outcome.PASS, tuple(reasons))
