"""What people write: sweeps, mistakes with their lines, contradictions, the JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.documents import Flaw
from hilgui.errors import CallWrong, CaseBroken
from hilgui.resources import shipped
from hilgui.sequencer.loading import LoadedCase, load_cases, parse_case, read_case, schema_text

RIG = """\
schema: hilgui/case.v1
name: lamp
mode: stimulus
rig: {profile: rig.yaml}
parameters:
  level: [10, 50.5]
steps:
  - set: {channel: board.lamp, value: ${level}}
  - capture: {channel: board.lamp, as: lamp}
criteria:
  - {metric: captured.lamp, limit: ">= ${level}", unit: "%"}
"""
REPLAY = """\
schema: hilgui/case.v1
name: drive
source: {path: day.mp4}
models: {baseline: b.onnx}
steps:
  - replay:
criteria:
  - {metric: recall, limit: ">= 0.5"}
"""


def flaws(text: str) -> list[Flaw]:
    read = parse_case(text, Path("x.case.yaml"))
    assert all(isinstance(each, Flaw) for each in read), "no mistake was found"
    return [each for each in read if isinstance(each, Flaw)]


def cases(text: str) -> list[LoadedCase]:
    read = parse_case(text, Path("x.case.yaml"))
    assert all(isinstance(each, LoadedCase) for each in read), read
    return [each for each in read if isinstance(each, LoadedCase)]


def test_each_combination_of_parameters_is_a_case() -> None:
    assert [each.id for each in cases(RIG.replace("50.5", "1, 0.0"))] == ["x[level=10]", "x[level=1]", "x[level=0]"]
    both = cases(RIG.replace("level: [10, 50.5]", "level: [10, 50.5]\n  word: [a, b]"))
    assert [each.id for each in both] == [
        "x[level=10,word=a]", "x[level=10,word=b]", "x[level=50.5,word=a]", "x[level=50.5,word=b]"
    ]  # fmt: skip
    assert [each.case.steps[0].what.value for each in both] == [10, 10, 50.5, 50.5]
    assert [str(each.case.criteria[0].parsed) for each in both[1:3]] == [">= 10", ">= 50.5"]


def test_a_mistake_has_its_line_and_a_suggestion() -> None:
    found = flaws(RIG.replace("unit:", "unt:"))
    assert [(each.line, each.sentence) for each in found] == [(11, "unknown key, did you mean unit?")]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (RIG.replace("${level}, ", "${levle}, ").replace("value: ${level}", "value: ${levle}"), 8, "levle"),
        (RIG.replace("[10, 50.5]", '["1}, b: {"]'), 6, "not plain text"),
        (RIG.replace("[10, 50.5]", "[]"), 6, "at least one value"),
        (RIG.replace("mode: stimulus", "mode: shadow"), 8, "never moves a rig"),
        (RIG.replace("mode: stimulus\nrig: {profile: rig.yaml}", "mode: replay"), 7, "never moves a rig"),
        (RIG.replace("stimulus", "replay"), 4, "mode replay has no rig"),
        (RIG.replace("rig: {profile: rig.yaml}\n", ""), 3, "needs rig"),
        (RIG.replace("captured.lamp,", "captured.lump,"), 11, "nothing is captured as lump, did you mean lamp?"),
        (
            RIG.replace(
                '{metric: captured.lamp, limit: ">= ${level}", unit: "%"}', '{metric: rig.refusd, limit: "== 1"}'
            ),
            11,
            "rig.refused?",
        ),
        (
            RIG.replace("{metric: captured.lamp", "{model: baseline,\n     metric: captured.lump"),
            12,
            "captured as lump",
        ),
        (RIG.replace('">= ${level}"', '"around 3"'), 11, "is not a limit"),
        (REPLAY.replace("  - replay:\n", "  - wait: {seconds: 1}\n"), 8, "no step plays one"),
        (REPLAY.replace("recall,", "recall, model: candidate,"), 8, "no candidate"),
        (REPLAY.replace("source: {path: day.mp4}\n", ""), 5, "a replay step needs source and models"),
        (REPLAY.replace("replay:", "replay: {meanwhile: [{replay: }]}"), 6, "within another replay"),
        (REPLAY.replace("recall, limit:", "latency_p99_ms,\n     unit: s,\n     limit:"), 9, "is in ms, not in s"),
        (REPLAY.replace("recall,", "recall, distance_m: [0, 20],"), 8, "bands between 0, 15, 30, 50 m"),
        (REPLAY.replace("recall,", "map_75, slice: {class: person},"), 8, "slices and distances have recall"),
        (REPLAY.replace("recall,", "latency_p99_ms, unit: s,"), 8, "is in ms, not in s"),
        (REPLAY.replace("  - replay:", "  - replay: {frames: [9, 3]}"), 6, "[first, last]"),
        (REPLAY.replace("  - replay:", "  - replay: {speed: fast}"), 6, "the speed 'fast'"),
        (REPLAY.replace("  - replay:", "  - {}"), 6, "exactly one key"),
        (REPLAY.replace("recall,", "recall, findings: {},"), 8, "exactly one of metric, findings"),
        ("schema: [", 1, "not valid YAML"),
    ],
)
def test_what_makes_no_sense_is_said(text: str, line: int, says: str) -> None:
    found = flaws(text)
    assert any(says in each.sentence for each in found), found
    assert line in [each.line for each in found], found


def test_one_mistake_is_one_sentence() -> None:
    (wrong,) = flaws(RIG.replace("[10, 50.5]", "[10, [1, 2]]"))
    assert (wrong.line, wrong.key) == (6, "parameters.level.1") and "not [1, 2]" in wrong.sentence
    (wrong,) = flaws(REPLAY.replace("recall,", "recall, slice: {class: 3},"))
    assert (wrong.line, wrong.sentence) == (8, "must be a valid string or a list, not 3")


def test_a_wrong_value_of_a_sweep_is_named_where_it_stands_and_once() -> None:
    text = RIG.replace("[10, 50.5]", "\n    - 10\n    - high\n    - low")
    assert [(flaw.line, flaw.key) for flaw in flaws(text)] == [(8, "parameters.level.1"), (9, "parameters.level.2")]
    assert "high is no value for line 11, steps.0.set.value: must be a valid number" in flaws(text)[0].sentence


def test_all_contradictions_are_given_each_at_its_key() -> None:
    text = RIG.replace("captured.lamp,", "captured.lump,").replace("stimulus", "shadow")
    assert [(flaw.line, flaw.key) for flaw in flaws(text)] == [(8, "steps.0.set"), (11, "criteria.0.metric")]


def test_a_case_with_a_fault_judges_the_bench_alone() -> None:
    text = REPLAY.replace("name: drive", "name: drive\nmode: stimulus\nrig: {profile: rig.yaml}")
    found = flaws(text.replace("  - replay:", "  - fault: {device: board, kind: unplug}\n  - replay:"))
    assert "judges the bench alone" in found[0].sentence and found[0].line == 11


def test_a_closed_loop_needs_a_controller_and_real_time() -> None:
    text = REPLAY.replace("name: drive", "name: drive\nmode: closed_loop\nrig: {profile: rig.yaml}")
    assert "controller" in flaws(text)[0].sentence
    text = text.replace("steps:", "controller: {channel: board.lamp, on: 1, off: 0}\nsteps:")
    assert "real time" in flaws(text)[0].sentence
    assert cases(text.replace("day.mp4", "day.mp4, speed: realtime"))[0].case.moves


def test_a_file_with_a_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.case.yaml"
    path.write_text(RIG.replace("unit:", "unt:"), encoding="utf-8")
    with pytest.raises(CaseBroken, match=r"bad\.case\.yaml, line \d+.*test-cases\.md"):
        read_case(path)


def test_cases_are_chosen_by_folder_and_tag() -> None:
    folder = shipped("testcases")
    assert "manual" not in {tag for case in load_cases([folder]) for tag in case.case.tags}
    assert [case.id for case in load_cases([folder], ["smoke"])] == ["smoke"]
    assert load_cases([folder / "manual" / "night_pedestrian_candidate.case.yaml"])
    with pytest.raises(CallWrong, match="no case has the tag smoek"):
        load_cases([folder], ["smoek"])


def test_the_shipped_schema_is_current_and_allows_parameters() -> None:
    text = shipped("testcases/case.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "make it anew: hilgui cases schema > testcases/case.schema.json"
    value = json.loads(text)["$defs"]["SetStep"]["properties"]["value"]
    assert {each["type"] for each in value["anyOf"]} == {"number", "string"}
