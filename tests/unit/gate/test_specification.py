"""The plan of a gate: read with its lines, refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import GateBroken
from hilgui.evaluation.limits import parse_limit
from hilgui.gate import read_specification

GOOD = """schema: hilgui/gate.v1
name: front-camera-detector
subject:
  stage: shadow
  baseline: {model: front-detector@champion}
  candidate: {model: front-detector@candidate}
  runtime: {provider: CUDAExecutionProvider}
data: {cluster: drive, min_clusters: 20, min_frames: 20000, max_unpaired_fraction: 0.005, max_truth_sync_ms: 50}
statistics: {alpha: 0.05, seed: 20240607, resamples: 10000}
invariants:
  - {id: latency, metric: candidate.latency_p99_ms, limit: "<= 33.3"}
gates:
  - {id: recall, metric: critical_recall, role: non_inferiority, margin: 0.005, better: higher}
  - {id: gain, metric: map_50_95, role: superiority, better: higher}
signoff: {required_for: [PROMOTE], people: 2}
"""


def test_a_good_plan_is_read_and_its_digest_ignores_the_layout(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(GOOD, encoding="utf-8")
    second.write_text("# a note\n" + GOOD.replace("\n  stage", "\n\n  stage"), encoding="utf-8")

    assert read_specification(first).digest == read_specification(second).digest
    assert read_specification(first).statistics.rollback.min_clusters == 10


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("margin: 0.005, ", "", 13, "needs a margin above 0"),
        ("margin: 0.005", "margin: 0", 13, "needs a margin above 0"),
        ("role: superiority", "role: superiority, margin: 1", 14, "has no margin"),
        ("<= 33.3", "below 33", 11, "is not a limit such as"),
        ("min_clusters", "min_cluster", 8, "did you mean min_clusters?"),
        ("id: gain", "id: recall", 1, "the id recall is given more than once"),
        ("role: non_inferiority, margin: 0.005", "role: superiority", 1, "no gate asks for non-inferiority"),
        ("alpha: 0.05", "alpha: .nan", 9, "alpha"),
        ("gate.v1", "gate.v2", 1, "hilgui/gate.v1"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(GateBroken) as caught:
        read_specification(path)

    assert f"{path}, line {line}: " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("== 0", 0, True),
        ("== 0", 1, False),
        ("<= 33.3", 33.3, True),
        ("> -1e3", 0, True),
        ("!= 0", float("nan"), False),
    ],
)
def test_limits_compare(text: str, value: float, holds: bool) -> None:
    assert parse_limit(text).holds(value) is holds


@pytest.mark.parametrize("text", ["", "33", "<= ", "<= x", "__import__('os')", "<= 1; 2", "<= 1e999"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a limit"):
        parse_limit(text)
