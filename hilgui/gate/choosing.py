"""Which run of a recording counts, and what a part of a recording or changed pictures mean for a decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from hilgui.records import Outcome, RunHeader
from hilgui.sources.excerpt import EXPOSED
from hilgui.store import RunReader

_BROKEN_OFF = (Outcome.ABORTED, Outcome.ERROR)
_SOUND = (Outcome.PASS, Outcome.FAIL)
_SHORT = 0.1  # of the median of all drives
_JUDGED_AGAIN = "rejudged_from"
_MOST_LOST = 0.5  # of a drive; less than half of one is not the drive that it stands for


def run_that_counts(runs: Sequence[RunReader]) -> RunReader:
    """Give the run of a recording that counts: the first whole one, with as many labelled frames as any whole one.

    `runs` are in the order in which they were made. Where none is whole the longest counts, so that it is complained
    about with its figures.
    """
    whole = [one for one in runs if _is_whole(one)]
    most = max(one.ledger.with_truth for one in whole or runs)
    return next(one for one in whole or runs if one.ledger.with_truth == most)


def is_repeat(run: RunReader, counted: RunReader) -> bool:
    """Say whether a run shows the models the very frames of the one that counts, so that its answers must be the same.

    A run that lost frames, was broken off, is about a part or about changed pictures says nothing about determinism,
    nor does one that was judged again: it has the answers of the other run.
    """
    if any(one.meta(_JUDGED_AGAIN) is not None for one in (run, counted)):
        return False
    mine, other = run.ledger, counted.ledger
    seen = [(each.captured, each.evaluated, each.lost + each.candidate_skipped) for each in (mine, other)]
    return run is not counted and _is_whole(run) and _is_whole(counted) and seen[0] == seen[1] and seen[0][2] == 0


def how_it_ended(run: RunReader) -> Iterator[str]:
    """Complain about a run that ended badly for more than a few lost frames: those have a limit of their own."""
    verdict, ledger, name = run.verdict, run.ledger, run.header.run_id
    gone = ledger.lost + ledger.candidate_skipped
    if verdict is None:
        yield f"run {name} is still under way"
    elif verdict.outcome not in _SOUND:
        nouns = ("frame", "frames")  # runs of before wrote "1 frames"
        counted = {f"{count:,} {noun} {why}" for why, count in ledger.losses for noun in nouns}
        other = [reason for reason in verdict.reasons if reason not in counted]
        if other or verdict.outcome in _BROKEN_OFF or not gone:
            yield f"run {name} ended {verdict.outcome.value}: {'; '.join(other or verdict.reasons)}"
    if gone > _MOST_LOST * ledger.captured:
        yield f"both models saw only {ledger.captured - gone:,} of the {ledger.captured:,} frames of run {name}"


def other_labels(by_drive: Mapping[str, Sequence[RunReader]]) -> Iterator[str]:
    """Complain about whole runs of one recording that were judged by different labels."""
    for runs in by_drive.values():
        labels = {one.header.truth.sha256: one.header for one in runs if one.header.truth and _is_whole(one)}
        if len(labels) > 1:
            told = " and ".join(sorted(header.run_id for header in labels.values()))
            source = next(iter(labels.values())).source
            yield f"{told} judge {source.name} by different labels; name the runs of the labels that hold"


def short_drives(counted: Sequence[RunReader]) -> Iterator[str]:
    """Name drives that have a small part of the judged frames that the others have: each weighs as much as they do."""
    for run, usual in _short(counted):
        if not _lacks_labels(run):
            yield (
                f"run {run.header.run_id} counts as one drive although only {run.ledger.with_truth:,} of its frames "
                f"are judged; the median of the drives is {usual:,.0f}"
            )


def cut_drives(counted: Sequence[RunReader]) -> Iterator[str]:
    """Complain about short drives that lack labelled frames, also where the run was stored without a doubt."""
    for run, usual in _short(counted):
        if _lacks_labels(run):
            yield (
                f"run {run.header.run_id} has {run.ledger.with_truth:,} judged frames, the median of the drives is "
                f"{usual:,.0f}, and labelled frames are not in its recording: it was cut; run the whole recording"
            )


def _short(counted: Sequence[RunReader]) -> Iterator[tuple[RunReader, float]]:
    judged = {run: run.ledger.with_truth for run in counted if run.header.source.ordered}
    usual = median(judged.values()) if judged else 0
    yield from ((run, usual) for run, frames in judged.items() if frames < _SHORT * usual)


def _lacks_labels(run: RunReader) -> bool:
    return any("labelled frames are not in the recording" in str(note) for note in run.meta("notes") or ())


def only_a_part(header: RunHeader) -> Iterator[str]:
    """Complain about a run that played a part of its recording."""
    source = header.source
    if source.of_frames is not None:
        yield (
            f"run {header.run_id} is about {source.frames:,} of the {source.of_frames:,} frames of {source.name}: "
            "whoever chooses the frames chooses the result; run the whole recording"
        )


def changed_pictures(headers: Sequence[RunHeader]) -> Iterator[str]:
    """Complain where some runs show pictures that were changed on purpose and others do not, or other changes."""
    recipes = {_recipe(header): header.run_id for header in headers}
    if len(recipes) > 1:
        told = ", ".join(f"{run}: {' '.join(recipe) or 'as recorded'}" for recipe, run in sorted(recipes.items()))
        yield f"the pictures of some runs were changed on purpose, those of others not or otherwise ({told})"


def told_of_repeats(by_drive: Mapping[str, Sequence[RunReader]], counted: Mapping[str, RunReader]) -> Iterable[str]:
    """Say which runs of a recording do not count."""
    for drive, runs in by_drive.items():
        if len(runs) > 1:
            one = counted[drive]
            name = Path(one.header.source.path).name
            again = ", ".join(_left_out(each) for each in runs if each is not one)
            yield f"{name} was run {len(runs)} times and counts once ({one.header.run_id}, not {again})"
    recipes = {_recipe(one.header) for one in counted.values()}
    if len(recipes) == 1 and (recipe := recipes.pop()):
        yield f"all pictures were changed on purpose: {' '.join(recipe)}"


def _left_out(run: RunReader) -> str:
    source = run.header.source
    if _is_whole(run):
        return run.header.run_id
    if source.of_frames is not None:
        return f"{run.header.run_id}, {source.frames:,} of {source.of_frames:,} frames"
    if recipe := _recipe(run.header):
        return f"{run.header.run_id}, pictures changed: {' '.join(recipe)}"
    return f"{run.header.run_id}, {'under way' if run.verdict is None else run.verdict.outcome.value}"


def _is_whole(run: RunReader) -> bool:
    if run.verdict is None or run.verdict.outcome in _BROKEN_OFF:
        return False
    return run.header.source.of_frames is None and not _recipe(run.header)


def _recipe(header: RunHeader) -> tuple[str, ...]:
    exposed = tuple(note for note in header.source.notes if note.startswith(EXPOSED))
    return (*header.source.corrupt, *exposed)
