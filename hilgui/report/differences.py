"""Two or more runs of one recording beside each other: figures with paired intervals, findings, waivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from hilgui.errors import CallWrong
from hilgui.evaluation import Clusters, DetectionQuality, Interval, Scorecard, t_interval
from hilgui.evaluation.clusters import FEWEST, jackknife, percentile_interval, resample, why_no_interval
from hilgui.numerals import number_of
from hilgui.records import Moment, Vocabulary
from hilgui.report.compare import compare_runs, match_findings
from hilgui.report.noise import NoiseFloor
from hilgui.report.protocol import Progress, silent
from hilgui.report.waivers import Waiver, apply_waivers
from hilgui.store import RunReader
from hilgui.store.codec import finding_json

SCHEMA = "hilgui/differences.v1"
FEW = 20  # up to so many clusters Student's t holds its level and the percentile bootstrap does not


def compare_many(
    readers: Sequence[RunReader],
    *,
    waivers: Sequence[Waiver] = (),
    today: date,
    noise: NoiseFloor | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Compare every run with the first one as plain JSON values; raises CallWrong and StoreBroken.

    Figures are those of the frames that all runs judged, paired frame by frame; `judgement` is "better", "worse",
    "same" (within the noise of the model, or exactly equal) or "open" (the interval holds 0). Findings are new, gone
    or in both; `open` lists the new ones that no waiver covers today.
    """
    if len(readers) < 2:
        raise CallWrong("a comparison needs two runs or more")
    scorecards, notes = _paired_scorecards(readers, progress)
    others = []
    for place, reader in enumerate(readers[1:], 1):
        figures = {
            role.value: _differences(scorecards[0].detection(role), scorecards[place].detection(role), noise)
            for role in scorecards[0].subjects
            if role in scorecards[place].subjects
        }
        others.append(
            {
                "run": reader.header.run_id,
                "figures": figures,
                "findings": _findings(readers[0], reader, waivers, today),
                "pair": compare_runs(readers[0], reader),
            }
        )
    return {
        "schema": SCHEMA,
        "reference": readers[0].header.run_id,
        "runs": [reader.header.run_id for reader in readers],
        "frames": _frames(scorecards[0]),
        "noise": None if noise is None else noise.as_json(),
        "notes": notes,
        "others": others,
    }


def differences_in_words(compared: dict[str, Any]) -> list[str]:
    """Say what `compare_many` found, one line each."""
    lines = list(compared["notes"])
    for other in compared["others"]:
        lines.append(
            f"{other['run']} against {compared['reference']}, {number_of(compared['frames'], 'frame')} judged by both"
        )
        for role, figures in other["figures"].items():
            lines += [f"  {role} {_figure_in_words(name, each)}" for name, each in figures.items() if "." not in name]
            reasons = dict.fromkeys(each["why_no_interval"] for each in figures.values() if each["why_no_interval"])
            lines += [f"    no interval, so nothing is better or worse: {why}" for why in reasons]
        found = other["findings"]
        if found["new"] is None:
            lines.append("  findings: different recordings, only counted")
            continue
        lines.append(
            f"  findings: {len(found['new'])} new ({len(found['open'])} not waived), {len(found['gone'])} gone, "
            f"{len(found['same'])} in both"
        )
        lines += [f"    expired on {each['expires']}, counts again: {each['why']}" for each in found["expired"]]
        lines += [f"    waived for nothing: {each['kind']} ({each['owner']})" for each in found["unused_waivers"]]
    return lines


def _figure_in_words(name: str, each: dict[str, Any]) -> str:
    if each["difference"] is None:
        return f"{name}: –"
    interval = each["interval"]
    sure = (
        ""
        if interval is None
        else f" [{interval['low']:+.3f}, {interval['high']:+.3f}] over {interval['clusters']} × {interval['unit']}"
    )
    return f"{name}: {each['a']:.3f} → {each['b']:.3f} ({each['difference']:+.3f}{sure}) {each['judgement']}"


def _frames(scorecard: Scorecard) -> int:
    return max((len(scorecard.detection(role).book.frames) for role in scorecard.subjects), default=0)


def _paired_scorecards(readers: Sequence[RunReader], progress: Progress) -> tuple[list[Scorecard], list[str]]:
    """Measure the frames that every run judged, with the classes that every run judges."""
    known = [{moment.ref.key for moment in reader.moments() if _is_judged(moment)} for reader in readers]
    common, notes = set.intersection(*known), []
    if len({reader.header.source.sha256 for reader in readers}) > 1:
        common = set()
        notes.append("The runs are of different recordings: no frames can be paired.")
    elif any(len(keys) > len(common) for keys in known):
        most = max(len(keys) for keys in known)
        notes.append(f"{len(common)} of up to {most} judged frames are judged in all runs; figures are over these")
    heads = [reader.header for reader in readers]
    names = [{head.vocabulary.name(number) for number in head.vocabulary.judged} for head in heads]
    shared = set.intersection(*names)
    if any(mine != shared for mine in names):
        notes.append(f"figures are over the classes that all runs judge: {', '.join(sorted(shared)) or 'none'}")
    scorecards = []
    for done, reader in enumerate(readers, 1):
        vocabulary = reader.header.vocabulary
        judged = frozenset(number for number in vocabulary.judged if vocabulary.name(number) in shared)
        scorecard = Scorecard(
            reader.header,
            vocabulary=Vocabulary(vocabulary.names, judged),
            measurements={"detection": DetectionQuality},
        )
        for moment in reader.moments():
            if moment.ref.key in common:
                scorecard.add(moment)
        scorecards.append(scorecard)
        progress(done, len(readers))
    return scorecards, notes


def _is_judged(moment: Moment) -> bool:
    return moment.truth is not None and len(moment.comparisons) == len(moment.inferences)


def _differences(a: DetectionQuality, b: DetectionQuality, noise: NoiseFloor | None) -> dict[str, dict[str, Any]]:
    """Give each figure that can be resampled of both sides, with the paired interval of b - a."""
    frames = min(len(a.book.frames), len(b.book.frames))
    clusters = a.clusters()
    if not frames or len(a.book.frames) != len(b.book.frames):
        return {}
    names, read_a = a.readings(clusters)
    other_names, read_b = b.readings(clusters)
    where = [other_names.index(name) if name in other_names else -1 for name in names]
    whole = np.ones(len(clusters), np.int64)

    def read(weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return read_b(weights)[where] - read_a(weights)

    first, second, difference = read_a(whole), read_b(whole)[where], read(whole)
    sure = _intervals(read, clusters)
    why_not = why_no_interval(clusters)
    return {
        name: _difference(name, (first[place], second[place], difference[place]), sure[place], why_not, noise)
        for place, name in enumerate(names)
        if where[place] >= 0
    }


def _intervals(read: Any, clusters: Clusters) -> list[Interval | None]:
    """Use Student's t over pseudo-values where clusters are few, else the percentile bootstrap; none below five."""
    size = len(read(np.ones(len(clusters), np.int64)))
    if len(clusters) < FEWEST:
        return [None] * size
    if len(clusters) <= FEW:
        pseudo = jackknife(read, len(clusters))
        return [t_interval(pseudo[:, place], clusters.unit) for place in range(size)]
    values = resample(read, clusters.draws())
    return [percentile_interval(values[:, place], clusters) for place in range(size)]


def _difference(
    name: str,
    values: tuple[float, float, float],  # a, b, b - a
    interval: Interval | None,
    why_not: str,
    noise: NoiseFloor | None,
) -> dict[str, Any]:
    a, b, difference = values
    known = bool(np.isfinite(difference))
    floor = 0.0 if noise is None else noise.figures.get(name, 0.0)
    judgement = "open"
    if known and abs(difference) <= floor:
        judgement = "same"
    elif known and interval is not None and interval.low > 0:
        judgement = "better"
    elif known and interval is not None and interval.high < 0:
        judgement = "worse"
    return {
        "a": float(a) if np.isfinite(a) else None,
        "b": float(b) if np.isfinite(b) else None,
        "difference": float(difference) if known else None,
        "interval": None if interval is None or not known else interval.as_json(),
        "why_no_interval": why_not if known and interval is None else "",
        "judgement": judgement if known else "open",
    }


def _findings(a: RunReader, b: RunReader, waivers: Sequence[Waiver], today: date) -> dict[str, Any]:
    """Sort the findings of b into new and known ones, and those of a that are gone."""
    drive = b.header.source.name
    mine, theirs = a.findings(), b.findings()
    said = apply_waivers(waivers, theirs, drive, today)
    expired = [
        {"number": number, "owner": waiver.owner, "expires": waiver.expires.isoformat(), "why": waiver.reason}
        for number, waiver in said.expired.items()
    ]
    told: dict[str, Any] = {
        "waived": {str(number): _waiver_json(waiver) for number, waiver in said.waived.items()},
        "expired": expired,
        "unused_waivers": [_waiver_json(waiver) for waiver in said.unused],
    }
    if a.header.source.sha256 != b.header.source.sha256:
        return {"new": None, "gone": None, "same": None, "open": None, **told}
    pairs = match_findings(mine, theirs)
    before, after = {one.number for one, _ in pairs}, {other.number for _, other in pairs}
    new = [finding for finding in theirs if finding.number not in after]
    return {
        "new": [finding_json(finding) for finding in new],
        "gone": [finding_json(finding) for finding in mine if finding.number not in before],
        "same": [{"a": one.number, "b": other.number, "kind": one.kind.value} for one, other in pairs],
        "open": [finding.number for finding in new if finding.number not in said.waived],
        **told,
    }


def _waiver_json(waiver: Waiver) -> dict[str, Any]:
    return waiver.model_dump(mode="json", by_alias=True)
