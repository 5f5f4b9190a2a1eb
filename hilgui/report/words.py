"""Says in sentences where the candidate wins and loses, from counts of the run and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hilgui.records import Role
from hilgui.report.summary import summary
from hilgui.report.tally import ClassTally, RoleTally, Share, distance_bands, height_bands, tally
from hilgui.store import RunReader

LEVEL_SHARE = 0.02  # recalls that differ by less are called level
LEVEL_LATENCY = 0.05  # so are median latencies whose ratio differs by less
FEW_LABELS = 20  # a class with fewer labels is called thin evidence

_DAY_PARTS = {"day": " by day", "night": " at night", "dusk": " at dusk", "dawn": " at dawn"}
_WEATHERS = {"clear": "", "rain": " in rain", "snow": " in snow", "fog": " in fog"}


class Tone(StrEnum):
    """What a sentence means for the candidate."""

    WORSE = "worse"
    BETTER = "better"
    LEVEL = "level"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence with what it means."""

    text: str
    tone: Tone


def comparison_in_words(reader: RunReader) -> list[str]:
    """Give the sentences of a run, worst news first; reads every frame once (0.2 ms each). Raises StoreBroken."""
    return [statement.text for statement in statements(summary(reader), tally(reader))]


def statements(facts: dict[str, Any], tallies: dict[Role, RoleTally]) -> list[Statement]:
    """Say what the summary and the counts of a run show: classes (worst first), phantoms, AP, time, cautions."""
    where = conditions_in_words(facts)
    said: list[Statement] = []
    if facts["frames"]["with_truth"] == 0:
        said.append(Statement("No frame has labels: misses, phantoms and average precision are unknown.", Tone.NOTE))
        said.extend(_disagreement(facts))
    elif Role.CANDIDATE in tallies:
        said.extend(_classes_against(tallies[Role.BASELINE], tallies[Role.CANDIDATE], where))
        said.append(_phantoms_against(tallies[Role.BASELINE], tallies[Role.CANDIDATE]))
        said.extend(_precision(facts))
    else:
        said.extend(_classes_alone(tallies[Role.BASELINE], where))
    said.extend(_speed(facts))
    said.extend(_cautions(facts, tallies))
    return said


def percent(share: float | None) -> str:
    """Write a share for people; never rounds something to nothing, nor nearly all to all."""
    if share is None:
        return "–"
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{share * 100:.0f} %"


def plural(name: str) -> str:
    """Make the plural of a class name, as English mostly does."""
    if name.endswith("person"):
        return name.removesuffix("person") + "people"
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    return name + "s"


def conditions_in_words(facts: dict[str, Any]) -> str:
    """Say under which conditions the labels say the drive was made (" at dusk in rain"), "" where they do not."""
    conditions = (facts["truth"] or {}).get("conditions", {})
    day_part, weather = str(conditions.get("day_part", "")), str(conditions.get("weather", ""))
    return _DAY_PARTS.get(day_part, f" ({day_part})" if day_part else "") + _WEATHERS.get(
        weather, f" ({weather})" if weather else ""
    )


def _classes_against(baseline: RoleTally, candidate: RoleTally, where: str) -> Iterator[Statement]:
    pairs = [(name, baseline.classes[name], mine) for name, mine in candidate.classes.items() if mine.share.truths]
    pairs.sort(key=lambda pair: _difference(pair[1].share, pair[2].share))
    for rank, (name, theirs, mine) in enumerate(pairs):
        difference = _difference(theirs.share, mine.share)
        yield _class_against(name, theirs.share, mine.share, difference, where)
        if rank == 0 and difference < -LEVEL_SHARE:
            yield from _worst_band(theirs, mine)
            yield from _never_found(name, theirs, mine)


def _class_against(name: str, theirs: Share, mine: Share, difference: float, where: str) -> Statement:
    if abs(difference) <= LEVEL_SHARE:
        text = f"{plural(name).capitalize()}{where} are level: the candidate found {_of(mine)}"
        return Statement(f"{text}, the baseline {_of(theirs)}.", Tone.LEVEL)
    verb, tone = ("loses", Tone.WORSE) if difference < 0 else ("gains", Tone.BETTER)
    return Statement(
        f"The candidate {verb} {plural(name)}{where}: it found {_of(mine)}, the baseline {_of(theirs)}.", tone
    )


def _worst_band(theirs: ClassTally, mine: ClassTally) -> Iterator[Statement]:
    """Say where most of the lost labels are: by distance where it is known, else by height in the picture."""
    by_distance = any(share.truths for share in mine.by_distance)
    names = distance_bands() if by_distance else height_bands()
    bands = (theirs.by_distance, mine.by_distance) if by_distance else (theirs.by_height, mine.by_height)
    rows = [(name, base, cand) for name, base, cand in zip(names, *bands, strict=True) if base.truths and cand.truths]
    if len(rows) < 2:
        return
    name, base, cand = max(rows, key=lambda row: row[1].found - row[2].found)
    if base.found > cand.found:
        text = f"Most of that loss is {name}: there the candidate found {_of(cand)}, the baseline {_of(base)}."
        yield Statement(text, Tone.WORSE)
    nearest = rows[0] if by_distance else rows[-1]
    if nearest[0] != name and _difference(*nearest[1:]) < -LEVEL_SHARE:
        text = f"Even {nearest[0]} the candidate found {_of(nearest[2])}, the baseline {_of(nearest[1])}."
        yield Statement(text, Tone.WORSE)


def _never_found(name: str, theirs: ClassTally, mine: ClassTally) -> Iterator[Statement]:
    if mine.never_found > theirs.never_found:
        yield Statement(
            f"Not found in any frame: {mine.never_found} of {mine.objects} {plural(name)} by the candidate, "
            f"{theirs.never_found} of {theirs.objects} by the baseline.",
            Tone.WORSE,
        )


def _phantoms_against(baseline: RoleTally, candidate: RoleTally) -> Statement:
    more = candidate.phantoms - baseline.phantoms
    return Statement(
        f"Phantoms (detections where nothing is labelled): {candidate.phantoms:,} of the candidate, "
        f"{baseline.phantoms:,} of the baseline.",
        Tone.LEVEL if more == 0 else Tone.WORSE if more > 0 else Tone.BETTER,
    )


def _classes_alone(baseline: RoleTally, where: str) -> Iterator[Statement]:
    known = [(name, one.share) for name, one in baseline.classes.items() if one.share.recall is not None]
    for name, share in sorted(known, key=lambda pair: pair[1].recall or 0.0):
        yield Statement(f"Of the {plural(name)}{where} the model found {_of(share)}.", Tone.NOTE)
    if baseline.classes or baseline.phantoms:  # maps, lanes and classes of pictures have none
        yield Statement(f"Phantoms (detections where nothing is labelled): {baseline.phantoms:,}.", Tone.NOTE)


def _precision(facts: dict[str, Any]) -> Iterator[Statement]:
    figures = [(facts["models"][role.value] or {}).get("detection") for role in Role]
    theirs, mine = [(one or {}).get("map_50") for one in figures]
    if theirs is not None and mine is not None:
        level = abs(mine - theirs) < 0.005
        tone = Tone.LEVEL if level else Tone.BETTER if mine > theirs else Tone.WORSE
        yield Statement(f"Average precision at IoU .5: candidate {mine:.3f}, baseline {theirs:.3f}.", tone)


def _speed(facts: dict[str, Any]) -> Iterator[Statement]:
    models = [facts["models"][role.value] for role in Role]
    theirs, mine = [None if model is None else model["latency_ms"]["p50"] for model in models]
    if theirs and mine:
        ratio = mine / theirs
        level = abs(ratio - 1) < LEVEL_LATENCY
        tone = Tone.LEVEL if level else Tone.BETTER if ratio < 1 else Tone.WORSE
        text = f"The candidate takes {mine:.1f} ms a frame (median), the baseline {theirs:.1f} ms"
        yield Statement(f"{text} on {_provider(models[1])}.", tone)


def _provider(model: dict[str, Any]) -> str:
    return str(model["provider"]).removesuffix("ExecutionProvider")


def _disagreement(facts: dict[str, Any]) -> Iterator[Statement]:
    mean = (facts["disagreement"] or {}).get("mean")
    if mean is not None:
        text = f"On average the two models disagree by {mean:.2f} (1 − F1; 0: same objects, 1: none in common)."
        yield Statement(text, Tone.NOTE)


def _cautions(facts: dict[str, Any], tallies: dict[Role, RoleTally]) -> Iterator[Statement]:
    frames = facts["frames"]
    if 0 < frames["with_truth"] < frames["evaluated"]:
        text = (
            f"Only {frames['with_truth']:,} of {frames['evaluated']:,} frames have labels; the others are not judged."
        )
        yield Statement(text, Tone.NOTE)
    if frames["dropped"] or frames["skipped"]:
        text = f"Lost frames: {frames['dropped']:,} dropped, {frames['skipped']:,} skipped; nothing is known of them."
        yield Statement(text, Tone.NOTE)
    if frames["candidate_skipped"]:
        text = f"Frames that the candidate skipped: {frames['candidate_skipped']:,}; it is judged on the others."
        yield Statement(text, Tone.NOTE)
    shares = {name: one.share.truths for name, one in tallies[Role.BASELINE].classes.items()}
    thin = [f"{name} ({count})" for name, count in shares.items() if 0 < count < FEW_LABELS]
    if thin:
        yield Statement(f"Too few labels to conclude from: {', '.join(thin)}.", Tone.NOTE)


def _difference(theirs: Share, mine: Share) -> float:
    if theirs.recall is None or mine.recall is None:
        return 0.0
    return mine.recall - theirs.recall


def _of(share: Share) -> str:
    return f"{percent(share.recall)} ({share.found:,} of {share.truths:,} labels)"
