"""Threads: what persists of each labelled object over frames."""

from __future__ import annotations

from hilgui.evaluation.tracker import Tracker
from hilgui.records import NO_TRACK, Moment, Truth, Vocabulary


class Threads:
    """Names the judged truths of a frame by the labels' own track, else by one of ours; frames in order."""

    def __init__(self, keep: int, vocabulary: Vocabulary, *, ordered: bool) -> None:
        self._judged = vocabulary.judged
        self._tracker = Tracker(keep) if ordered else None
        self._moment: Moment | None = None
        self._threads: dict[int, str] = {}

    def at(self, moment: Moment) -> dict[int, str]:
        """Give the thread of each judged row, in the order of rows; none where the frame has no labels."""
        if moment is not self._moment:
            self._moment = moment
            self._threads = {} if moment.truth is None else self._name(moment.truth)
        return self._threads

    def _name(self, truth: Truth) -> dict[int, str]:
        excused = (truth.crowd | truth.ignore).tolist()
        classes, tracks = truth.classes.tolist(), truth.tracks.tolist()
        judged = [row for row, classed in enumerate(classes) if classed in self._judged and not excused[row]]
        threads = {row: f"truth {tracks[row]}" for row in judged if tracks[row] != NO_TRACK}
        nameless = [row for row in judged if row not in threads]
        if self._tracker is None:
            threads |= {row: f"row {row}" for row in nameless}
        else:
            numbers = self._tracker.update(truth.boxes[nameless])
            threads |= {row: f"object {number}" for row, number in zip(nameless, numbers, strict=True)}
        return {row: threads[row] for row in judged}
