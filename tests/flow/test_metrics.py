"""The metrics endpoint: what it answers, what it refuses, and that the real Prometheus reads it."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hilgui.cli import main
from hilgui.engine import RunFailed, RunFinished, RunStarted
from hilgui.engine.metrics import Metrics, MetricsServer, serving
from hilgui.errors import BenchBroken
from hilgui.pipeline import Progress
from hilgui.pipeline.progress import EDGES_MS, Latencies
from hilgui.records import Kind, Outcome, Role
from hilgui.resources import shipped
from hilgui.rigs.arming import State
from hilgui.sequencer.suite import CaseEnded
from hilgui.sequencer.tidings import StepTaken
from hilgui.settings import Settings
from tests.flow.tiny import write_drive, write_model


def progress(evaluated: int, drift: float | None = None) -> Progress:
    counts = (0, 0, 0, 0, evaluated, *(0 for _ in range(len(EDGES_MS) - 4)))
    return Progress(
        captured=evaluated + 1,
        evaluated=evaluated,
        dropped=1,
        skipped=0,
        fps=12.5,
        latency_ms={},
        findings=2,
        seconds_left=None,
        time_s=0.0,
        latencies={Role.BASELINE: Latencies(counts, 15.0 * evaluated)},
        missed={Role.BASELINE: 3},
        kinds={"missed_critical": 2},
        drift=drift,
    )


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for each in families for one in each.samples}


@pytest.fixture
def metrics() -> Metrics:
    """Give metrics of a session with one ended run and one under way."""
    metrics = Metrics()
    metrics.take(RunStarted(Path("run"), "run", 10))
    metrics.take(progress(100))
    metrics.take(RunFinished(Path("run"), Outcome.PASS, ()))
    metrics.take(RunStarted(Path("run"), "run", 10))
    metrics.take(progress(20, drift=2.5))
    metrics.take_rig(State.ARMED)
    metrics.take_rig(State.LATCHED)
    metrics.take_rig(State.LATCHED)
    return metrics


@pytest.fixture
def server(metrics: Metrics) -> Iterator[MetricsServer]:
    """Give a server of them at any free port."""
    made = MetricsServer(metrics, 0)
    yield made
    made.close()


def ask(server: MetricsServer, question: bytes) -> bytes:
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(question)
        answer = b""
        while more := client.recv(65536):
            answer += more
        return answer


def test_findings_of_every_kind_count_from_nought_so_that_the_first_one_is_a_rise() -> None:
    found = samples(Metrics())
    assert {found["hilgui_findings_total", (("kind", kind.value),)] for kind in Kind} == {0}


def test_counts_go_on_over_the_runs_of_a_session(metrics: Metrics) -> None:
    found = samples(metrics)
    assert found["hilgui_frames_total", (("fate", "evaluated"),)] == 120
    assert found["hilgui_frames_total", (("fate", "dropped"),)] == 2
    assert found["hilgui_findings_total", (("kind", "missed_critical"),)] == 4
    assert found["hilgui_missed_objects_total", (("model", "baseline"),)] == 6
    assert found["hilgui_inference_seconds_count", (("model", "baseline"),)] == 120
    assert found["hilgui_inference_seconds_sum", (("model", "baseline"),)] == pytest.approx(1.8)
    assert found["hilgui_inference_seconds_bucket", (("le", "0.01"), ("model", "baseline"))] == 0
    assert found["hilgui_inference_seconds_bucket", (("le", "0.02"), ("model", "baseline"))] == 120
    assert found["hilgui_drift_ratio", ()] == 2.5
    assert found["hilgui_run_active", ()] == 1
    assert found["hilgui_runs_total", (("verdict", "PASS"),)] == 1
    metrics.take(RunFailed("the camera is gone", ""))
    found = samples(metrics)
    assert found["hilgui_frames_total", (("fate", "evaluated"),)] == 120
    assert found["hilgui_runs_total", (("verdict", "ERROR"),)] == 1
    assert found["hilgui_run_active", ()] == 0


def test_blocked_attempts_go_on_over_the_rigs_of_a_session(metrics: Metrics) -> None:
    metrics.take_rig(State.SAFE, {"cage": 1})
    metrics.take_rig(State.ARMED, {"cage": 2, "stale": 1})
    metrics.take_rig(None)
    metrics.take_rig(State.ARMED, {"cage": 1})
    found = samples(metrics)
    assert found["hilgui_rig_blocked_total", (("reason", "cage"),)] == 3
    assert found["hilgui_rig_blocked_total", (("reason", "stale"),)] == 1
    assert found["hilgui_rig_blocked_total", (("reason", "shadow"),)] == 0


CASE = """\
schema: hilgui/case.v1
name: watched
mode: stimulus
rig: {{profile: "{profile}"}}
steps:
  - set: {{channel: board.lamp, value: 99, refused: true}}
  - wait: {{seconds: 0.3}}
  - fault: {{device: board, kind: unplug}}
  - wait: {{state: latched, within_s: 240}}
criteria:
  - {{metric: rig.refused, limit: "== 1"}}
"""


def test_a_run_of_cases_tells_of_its_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "watched.case.yaml"
    path.write_text(CASE.format(profile=shipped("testcases/rigs/simulated_bench.yaml")), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    scraped: dict[str, list[str]] = {}

    def scrape(_: object, event: object) -> None:
        if isinstance(event, StepTaken | CaseEnded):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                scraped[getattr(event, "text", "end")] = answer.read().decode().splitlines()

    monkeypatch.setattr("hilgui.cli.case_running._Teller.__call__", scrape)
    assert main(["run", str(path), "--metrics", str(port)]) == 0
    assert 'hilgui_rig_state{hilgui_rig_state="armed"} 1.0' in scraped["set board.lamp to 99"]
    assert {
        'hilgui_rig_state{hilgui_rig_state="none"} 1.0',
        'hilgui_rig_blocked_total{reason="cage"} 1.0',
        "hilgui_rig_faults_total 1.0",
        'hilgui_cases_total{verdict="PASS"} 1.0',
    } <= set(scraped["end"])


def test_a_rig_that_latches_is_one_fault_and_its_state_is_told(metrics: Metrics) -> None:
    found = samples(metrics)
    assert found["hilgui_rig_faults_total", ()] == 1
    states = {
        dict(labels)["hilgui_rig_state"]: value for (name, labels), value in found.items() if name.endswith("_state")
    }
    assert states == {"none": 0, **{state.value: float(state is State.LATCHED) for state in State}}


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n", b"200"),
        (b"GET /metrics?name[]=x HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"STOP\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 5000, b"431"),
    ],
)
def test_only_get_metrics_is_answered(server: MetricsServer, question: bytes, status: bytes) -> None:
    answer = ask(server, question)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (b"hilgui_frames_total" in answer) == (status == b"200")


def test_only_get_metrics_is_answered_within_its_time_and_on_loopback(server: MetricsServer) -> None:
    assert server.host == "127.0.0.1"
    silent = [socket.create_connection((server.host, server.port), timeout=30) for _ in range(2)]
    try:
        silent[0].sendall(b"GET /met")  # and nothing more
        assert silent[0].recv(100) == b""  # the server hangs up by itself
        assert silent[1].recv(100) == b""
        assert ask(server, b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200")
    finally:
        for client in silent:
            client.close()


def test_a_scrape_under_way_holds_up_nobody_who_counts(metrics: Metrics, server: MetricsServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=30):
        metrics.take(progress(30))
        assert samples(metrics)["hilgui_frames_total", (("fate", "evaluated"),)] == 130


def test_a_port_that_is_taken_is_said(server: MetricsServer, metrics: Metrics) -> None:
    with pytest.raises(BenchBroken, match="choose another port"):
        MetricsServer(metrics, server.port)


def test_without_a_port_nobody_listens() -> None:
    with serving(Settings()) as told:
        assert told is None


def test_the_rules_and_the_board_name_only_metrics_that_exist(metrics: Metrics) -> None:
    known = {name for name, _ in samples(metrics)} | {"hilgui_rig_state"}
    folder = shipped("assets/monitoring")
    texts = [(folder / name).read_text() for name in ("hilgui.rules.yml", "grafana-dashboard.json")]
    board = json.loads(texts[1])
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    expressions += re.findall(r"expr: (.*)", texts[0])
    named = {name for each in expressions for name in re.findall(r"\bhilgui_[a-z_]+", each)}
    assert named
    assert named <= known


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_finds_no_fault_in_metrics_config_and_rules(metrics: Metrics) -> None:
    folder = shipped("assets/monitoring")
    for words, given in (
        (["promtool", "check", "config", str(folder / "prometheus.yml")], b""),
        (["promtool", "check", "rules", str(folder / "hilgui.rules.yml")], b""),
        (["promtool", "check", "metrics"], metrics.text()),
    ):
        done = subprocess.run(words, input=given, capture_output=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus (Debian: prometheus) is not installed")
def test_the_real_prometheus_finds_the_bench_up_and_raises_its_alarms(server: MetricsServer, tmp_path: Path) -> None:
    folder = shipped("assets/monitoring")
    config = (folder / "prometheus.yml").read_text().replace("9464", str(server.port)).replace(": 5s", ": 1s")
    (tmp_path / "prometheus.yml").write_text(config)
    shutil.copy(folder / "hilgui.rules.yml", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output)
        try:
            assert _until(port, 'up{job="hilgui"}') == 1
            assert _until(port, 'sum(hilgui_frames_total{fate="evaluated"})') == 120
            assert _until(port, "histogram_quantile(0.99, hilgui_inference_seconds_bucket)") == pytest.approx(0.0199)
            assert _until(port, 'ALERTS{alertname="HilguiRigLatched",alertstate="firing"}') == 1
            assert _until(port, 'ALERTS{alertname="HilguiDrift",alertstate="firing"}') == 1
        finally:
            process.terminate()
            process.wait(timeout=240)


def _until(port: int, query: str, patience_s: float = 240.0) -> float:
    """Ask Prometheus until it knows a value above 0."""
    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            found = []
        if found and float(found[0]["value"][1]) > 0:
            return float(found[0]["value"][1])
        time.sleep(0.2)
    raise AssertionError(f"Prometheus knows nothing of {query} after {patience_s} s")


def test_a_replay_with_metrics_ends_as_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    drive, model = tmp_path / "drive.mp4", write_model(tmp_path / "model.onnx")
    write_drive(drive, frames=6)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main(["replay", str(drive), "-b", str(model), "--metrics", str(port), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "PASS"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
