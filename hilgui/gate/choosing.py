"""Which run of a recording counts, and what a part of a recording or changed pictures mean for a decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hilgui.records import Outcome, RunHeader
from hilgui.sources.excerpt import EXPOSED
from hilgui.store import RunReader

_BROKEN_OFF = (Outcome.ABORTED, Outcome.ERROR)


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

    A run that lost frames, was broken off, is about a part or about changed pictures says nothing about determinism.
    """
    mine, other = run.ledger, counted.ledger
    seen = [(each.captured, each.evaluated, each.lost + each.candidate_skipped) for each in (mine, other)]
    return run is not counted and _is_whole(run) and _is_whole(counted) and seen[0] == seen[1] and seen[0][2] == 0


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
