"""What Prometheus may ask: counts of the runs of this front end and the state of its rig; GET /metrics, no more.

Numbers are copied from the events that the front end takes anyway; a scrape reads the newest ones. So whoever scrapes,
slowly or often, holds up nobody.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    StateSetMetricFamily,
)
from prometheus_client.registry import Collector

from hilgui import __version__
from hilgui.engine.events import RunFailed, RunFinished, RunStarted
from hilgui.errors import BenchBroken
from hilgui.pipeline import Progress
from hilgui.pipeline.progress import EDGES_MS, Latencies
from hilgui.records import Kind, Outcome, Role
from hilgui.rigs.arming import State
from hilgui.rigs.client import BLOCKED
from hilgui.settings import Settings

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_WHOLE_S = 2.0  # for a question and its answer
_LONGEST = 4096  # bytes of a question
_QUEUE = 8  # connections that wait; more are refused by the system


class Metrics(Collector):
    """Takes events on the front end's thread and gives metrics on any; counts go on over the runs of a session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before = _sum([])  # of the runs that ended
        self._now: Progress | None = None
        self._is_running = False
        self._outcomes: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
        self._state: State | None = None
        self._faults = 0
        self._cases: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
        self._blocked_before = Counter(dict.fromkeys(BLOCKED.values(), 0))  # by rigs that were closed
        self._blocked: Mapping[str, int] = {}

    def take(self, event: object) -> None:
        """Take an event of the engine."""
        with self._lock:
            match event:
                case RunStarted():
                    self._is_running = True
                case Progress():
                    self._now = event
                case RunFinished(outcome=outcome):
                    self._end(outcome)
                case RunFailed():
                    self._end(Outcome.ERROR)

    def take_rig(self, state: State | None, blocked: Mapping[str, int] | None = None) -> None:
        """Take the arming state, None while no rig is open, and the attempts that this rig has blocked, by reason.

        A rig that latches counts as a fault.
        """
        with self._lock:
            self._faults += state is State.LATCHED and self._state is not State.LATCHED
            self._state = state
            self._blocked = self._blocked if blocked is None else dict(blocked)
            if state is None:
                self._blocked_before.update(self._blocked)
                self._blocked = {}

    def take_case(self, outcome: Outcome | None) -> None:
        """Take the verdict of a test case, None for one that was skipped."""
        if outcome is not None:
            with self._lock:
                self._cases[outcome.value] += 1

    def text(self) -> bytes:
        """Write everything in the text format of Prometheus."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> list[Metric]:
        """Describe nothing beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the metrics as they are now."""
        with self._lock:
            now, is_running = self._now, self._is_running
            total = self._before if now is None else _sum([self._before, now])
            outcomes, state, faults, cases = dict(self._outcomes), self._state, self._faults, dict(self._cases)
            blocked = {word: count + self._blocked.get(word, 0) for word, count in self._blocked_before.items()}
        build = GaugeMetricFamily("hilgui_build_info", "Version of hilgui.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield GaugeMetricFamily("hilgui_run_active", "1 while a run is under way.", float(is_running))
        yield _counter("hilgui_runs", "Runs that ended, by verdict.", "verdict", outcomes)
        yield from _of_runs(total)
        if now is not None and is_running:
            yield GaugeMetricFamily("hilgui_frames_per_second", "Frames a second of the run under way.", now.fps)
        if now is not None and now.drift is not None:
            words = "Worst figure of the last windows against the drift reference, in units of its limit."
            yield GaugeMetricFamily("hilgui_drift_ratio", words, now.drift)
        arming = StateSetMetricFamily("hilgui_rig_state", "Arming state of the rig; none while no rig is open.")
        arming.add_metric([], {"none": state is None, **{each.value: each is state for each in State}})
        yield arming
        yield CounterMetricFamily("hilgui_rig_faults", "Times that the rig latched.", faults)
        yield _counter("hilgui_rig_blocked", "Attempts to actuate that were blocked, by reason.", "reason", blocked)
        yield _counter("hilgui_cases", "Test cases that ended, by verdict.", "verdict", cases)

    def _end(self, outcome: Outcome) -> None:
        self._outcomes[outcome.value] += 1
        self._is_running = False
        if self._now is not None:
            self._before = _sum([self._before, self._now])
            self._now = None


def _of_runs(total: Progress) -> Iterator[Metric]:
    fates = {"evaluated": total.evaluated, "dropped": total.dropped, "skipped": total.skipped}
    yield _counter("hilgui_frames", "Stored frames by their fate.", "fate", fates)
    yield CounterMetricFamily("hilgui_frames_captured", "Frames that came from the source.", total.captured)
    kinds = {kind.value: 0 for kind in Kind} | total.kinds  # from 0 on, or Prometheus sees no rise at the first
    yield _counter("hilgui_findings", "Corner cases by kind.", "kind", kinds)
    missed = {role.value: count for role, count in total.missed.items()}
    yield _counter("hilgui_missed_objects", "Labelled objects that were not found.", "model", missed)
    seconds = HistogramMetricFamily(
        "hilgui_inference_seconds", "Time of a picture: preprocess, run, postprocess.", labels=["model"]
    )
    for role, latencies in total.latencies.items():
        below, buckets = 0, []
        for edge, count in zip([*(f"{edge / 1000:g}" for edge in EDGES_MS), "+Inf"], latencies.counts, strict=True):
            below += count
            buckets.append((edge, below))
        seconds.add_metric([role.value], buckets, latencies.sum_ms / 1000)
    yield seconds


def _counter(name: str, words: str, label: str, values: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _sum(runs: list[Progress]) -> Progress:
    """Add the counts of runs; rates and times are those of nothing."""
    roles: dict[Role, Latencies] = {}
    kinds: Counter[str] = Counter()
    missed: Counter[Role] = Counter()
    for run in runs:
        kinds.update(run.kinds)
        missed.update(run.missed)
        for role, each in run.latencies.items():
            before = roles.get(role, Latencies((0,) * len(each.counts), 0.0))
            counts = tuple(one + two for one, two in zip(before.counts, each.counts, strict=True))
            roles[role] = Latencies(counts, before.sum_ms + each.sum_ms)
    return Progress(
        captured=sum(run.captured for run in runs),
        evaluated=sum(run.evaluated for run in runs),
        dropped=sum(run.dropped for run in runs),
        skipped=sum(run.skipped for run in runs),
        fps=0.0,
        latency_ms={},
        findings=sum(run.findings for run in runs),
        seconds_left=None,
        time_s=0.0,
        latencies=roles,
        missed=dict(missed),
        kinds=dict(kinds),
    )


class MetricsServer:
    """Answers one question at a time on a thread of its own, each within two seconds; `close` ends it."""

    def __init__(self, metrics: Metrics, port: int, host: str = "127.0.0.1") -> None:
        """Listen; port 0 takes any that is free. Raises BenchBroken where it cannot."""
        self._metrics = metrics
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=_QUEUE)
        except (OSError, OverflowError) as failure:
            raise BenchBroken(
                f"nobody can ask for metrics at {host}:{port}: {failure}; choose another port (--metrics)"
            ) from failure
        self.host, self.port = self._socket.getsockname()[:2]
        if not ipaddress.ip_address(self.host).is_loopback:
            log.warning("metrics are open to every machine that reaches %s:%s", self.host, self.port)
        self._thread = threading.Thread(target=self._serve, name="metrics")
        self._closing = threading.Event()
        self._thread.start()

    def close(self) -> None:
        """End the thread; a question under way is cut off. May be called twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        address = ipaddress.ip_address(self.host)
        here = self.host if not address.is_unspecified else "::1" if address.version == 6 else "127.0.0.1"
        with suppress(OSError), socket.create_connection((here, self.port), timeout=_WHOLE_S):
            pass  # wakes the thread, which sees that it is over
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                if self._closing.is_set():
                    return
                log.warning("metrics: a connection failed", exc_info=True)
                continue
            with client, suppress(OSError):
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        deadline = time.monotonic() + _WHOLE_S
        question = b""
        while b"\r\n\r\n" not in question and len(question) <= _LONGEST:
            left = deadline - time.monotonic()
            if left <= 0 or self._closing.is_set():
                return
            client.settimeout(min(left, 0.2))
            try:
                more = client.recv(_LONGEST)
            except TimeoutError:
                continue
            if not more:
                return
            question += more
        status, body = self._reply(question)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        client.settimeout(max(deadline - time.monotonic(), 0.01))
        client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

    def _reply(self, question: bytes) -> tuple[str, bytes]:
        if len(question) > _LONGEST:
            return "431 Request Header Fields Too Large", b"too long\n"
        line = question.split(b"\r\n", 1)[0].split(b" ")
        if len(line) != 3 or not line[2].startswith(b"HTTP/1."):
            return "400 Bad Request", b"this is no HTTP\n"
        if line[0] != b"GET":
            return "405 Method Not Allowed\r\nAllow: GET", b"only GET\n"
        if line[1].split(b"?", 1)[0] != b"/metrics":
            return "404 Not Found", b"there is only /metrics\n"
        return "200 OK", self._metrics.text()


@contextmanager
def serving(settings: Settings) -> Iterator[Metrics | None]:
    """Let Prometheus ask while something runs, where the settings name a port; gives what is to be told of events."""
    if not settings.metrics_port:
        yield None
        return
    metrics = Metrics()
    server = MetricsServer(metrics, settings.metrics_port, settings.metrics_host)
    try:
        yield metrics
    finally:
        server.close()
