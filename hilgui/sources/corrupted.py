"""A recording as a bad lens, bad weather or a bad link would deliver it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hilgui.corruptions import Recipe
from hilgui.corruptions.recipe import chance
from hilgui.corruptions.steps import one
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.depth_maps import DepthMaps
from hilgui.sources.protocol import FrameSource
from hilgui.stream import StopToken

_DROPPED = "did not arrive, on purpose: corruption frame_drop"


class Corrupted:
    """Plays another source, its pictures and its stream corrupted by a recipe; frames keep numbers and times.

    What happens to a frame depends on the seed and its number alone, so `frame_at` shows what `frames` delivered.
    Frozen and late pictures come under the number of the frame in whose place they stand: labels judge them as what
    the model was shown then. Wraps a source that somebody else has chosen, so it is no plug-in.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, source: FrameSource, recipe: Recipe, depth: Path | None = None) -> None:
        """Take a source that is not open, what is done to it, and depth maps for fog; raises SourceBroken."""
        self._source = source
        self._recipe = recipe
        self._depth_path = depth
        self._depth = None if depth is None else DepthMaps(depth)
        self._shown: dict[int, int] = {}  # frame number → number of the frame whose picture stands in its place
        self._dropped: set[int] = set()

    @classmethod
    def recognises(cls, path: object) -> bool:
        """Recognise nothing."""
        return False

    def open(self) -> SourceFacts:
        """Open the recording and settle which frames are dropped, frozen or late."""
        facts = self._source.open()
        seqs = [ref.seq for ref in self._source.refs()]
        self._shown = dict(zip(seqs, shown_instead(seqs, self._recipe), strict=True))
        self._dropped = dropped(seqs, self._recipe)
        recipe, depth = self._recipe, self._depth_path
        words = recipe.words if depth is None else f"{recipe.words}; distances from {depth.name}"
        return replace(
            facts,
            notes=(*facts.notes, words),
            corrupt=recipe.texts,
            corrupt_seed=recipe.seed,
            corrupt_depth="" if depth is None else str(depth.resolve()),
        )

    def refs(self) -> list[FrameRef]:
        """Name the frames."""
        return self._source.refs()

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver every frame corrupted; a dropped one is a Loss that says so."""
        last_use = {shown: seq for seq, shown in self._shown.items()}
        kept: dict[int, Frame] = {}
        for item in self._source.frames(stop):
            seq = item.ref.seq
            if isinstance(item, Frame) and last_use.get(seq, seq) > seq:
                kept[seq] = item
            if seq in self._dropped:
                yield Loss(item.ref, Fate.DROPPED, _DROPPED)
            elif isinstance(item, Loss):
                yield item
            else:
                yield self._changed(item, kept.get(self._shown[seq], item))
            kept = {each: frame for each, frame in kept.items() if last_use[each] > seq}

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame as `frames` does, also one that was dropped; raises IndexError, SourceBroken."""
        frame = self._source.frame_at(seq)
        shown = self._shown[seq]
        return self._changed(frame, frame if shown == seq else self._source.frame_at(shown))

    def close(self) -> None:
        """Close the recording."""
        self._source.close()

    def _changed(self, frame: Frame, shown: Frame) -> Frame:
        if shown.image.shape != frame.image.shape:  # pictures of a folder differ in size: none stands in for another
            shown = frame
        if not self._recipe.pictures:
            return frame if shown is frame else replace(frame, image=shown.image)
        depth_m = None
        if self._depth is not None and self._recipe.needs_depth:
            depth_m = self._depth.of(shown.ref, *shown.image.shape[:2])
        image = self._recipe.apply(shown.image, shown.ref.seq, depth_m)
        image.flags.writeable = False
        return replace(frame, image=image)


def dropped(seqs: list[int], recipe: Recipe) -> set[int]:
    """Choose the frames that do not arrive: 2 to 40 % of them, each by itself."""
    severity = recipe.stream.get("frame_drop", 0.0)
    share = one((0.02, 0.05, 0.1, 0.2, 0.4), severity) * min(severity, 1.0)
    draws = chance(recipe.seed, "frame_drop", 0, -1).random(len(seqs))
    return {seq for seq, draw in zip(seqs, draws.tolist(), strict=True) if draw < share}


def shown_instead(seqs: list[int], recipe: Recipe) -> list[int]:
    """Say for each frame whose picture is shown: its own, one that froze, or one that is late."""
    late = recipe.stream.get("latency", 0.0)
    delay = round(one((1, 2, 4, 8, 15), late) * min(late, 1.0))
    places = [max(0, place - delay) for place in range(len(seqs))]
    frozen = recipe.stream.get("freeze", 0.0)
    if frozen:
        length = max(1, round(one((2, 5, 10, 20, 30), frozen) * min(frozen, 1.0)))
        rng = chance(recipe.seed, "freeze", 0, -1)
        place = int(rng.integers(0, 2 * length + 1))
        while place < len(seqs):
            end = min(place + length + 1, len(seqs))
            places[place:end] = [places[place]] * (end - place)
            place = end + length + int(rng.integers(0, 2 * length + 1))
    return [seqs[place] for place in places]
