from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.records import Role
from hilgui.report import summary
from hilgui.store import RunReader
from tests.unit.report.night_run import FRAMES, header, write_run


def test_the_summary_has_the_keys_that_later_work_builds_on(reader: RunReader) -> None:
    facts = summary(reader)
    assert {"run", "verdict", "reasons", "frames", "fps", "models", "findings"} <= facts.keys()
    assert {"captured", "evaluated", "dropped", "skipped", "with_truth", "candidate_skipped"} <= facts["frames"].keys()
    for model in facts["models"].values():
        assert {"name", "sha256", "adapter", "provider", "latency_ms", "detections", "detection"} <= model.keys()
        assert {"p50", "p99", "stages"} == model["latency_ms"].keys()
        assert {"preprocess", "run", "postprocess"} == model["latency_ms"]["stages"].keys()
        assert {"map_50_95", "map_50", "map_75"} <= model["detection"].keys()


def test_the_summary_is_valid_json(reader: RunReader) -> None:
    assert json.loads(json.dumps(summary(reader), allow_nan=False)) == json.loads(json.dumps(summary(reader)))


def test_frames_and_rate_come_from_the_ledger_and_the_wall_clock(reader: RunReader) -> None:
    facts = summary(reader)
    assert facts["frames"]["evaluated"] == FRAMES - 2
    assert facts["frames"]["closes"]
    assert facts["fps"] == pytest.approx((FRAMES - 2) / 2.9)


def test_latency_is_the_sum_of_the_stages(reader: RunReader) -> None:
    latency = summary(reader)["models"]["baseline"]["latency_ms"]
    assert latency["p50"] == pytest.approx(sum(stage["p50"] for stage in latency["stages"].values()), rel=1e-4)


def test_only_detections_above_the_threshold_are_counted(reader: RunReader) -> None:
    stored = sum(len(moment.inferences[Role.BASELINE].detections) for moment in reader.moments())
    counted = summary(reader)["models"]["baseline"]["detections"]
    assert counted == 3 * (FRAMES - 2) < stored


def test_findings_are_counted_by_kind_and_by_model(reader: RunReader) -> None:
    facts = summary(reader)
    assert facts["findings"] == {"missed_object": 1, "phantom": 1}
    assert facts["findings_by_role"] == {"baseline": {}, "candidate": {"missed_object": 1, "phantom": 1}}


def test_a_run_without_candidate_has_none(lone_reader: RunReader) -> None:
    facts = summary(lone_reader)
    assert facts["models"]["candidate"] is None
    assert facts["disagreement"] is None


def test_a_run_that_died_takes_its_rate_from_the_frames(tmp_path: Path) -> None:
    reader = RunReader(write_run(tmp_path, header(), finish=False))
    facts = summary(reader)
    reader.close()
    assert facts["verdict"] == "ABORTED"
    assert facts["wall_s"] == pytest.approx((FRAMES - 1) * 0.01)  # frames were captured 10 ms apart
    assert facts["models"]["baseline"]["detection"] is None
