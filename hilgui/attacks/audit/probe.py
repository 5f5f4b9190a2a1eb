"""One way to fool a model, and what was seen when it was tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.audit.finding import Kind, Severity
from hilgui.attacks.audit.sight import Pair, Sight

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator, Sight], Pair | None]
"""Gives the clean and the changed picture; None where the picture lends no chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What came of it: `pair` happens again, `words` say what was seen, `not_run` why it was not tried."""

    hits: int
    trials: int
    words: str
    pair: Pair | None = None
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One way to fool a model."""

    id: str
    kind: Kind
    title: str
    severity: Severity
    limit: float  # found where the lower end of the interval lies above
    recommendation: str
    run: Callable[[Sight, Sequence[Pixels], int], Seen]  # the last is the seed
    is_retested: bool = True  # a pair of pictures makes it happen again; times and files have none


def changing(change: Change) -> Callable[[Sight, Sequence[Pixels], int], Seen]:
    """Make the run of a probe that changes each picture; each has a chance of its own."""
    return lambda sight, images, seed: each_changed(sight, images, seed, change)


def each_changed(sight: Sight, images: Sequence[Pixels], seed: int, change: Change) -> Seen:
    """Change each picture, count what falls, and keep the pair of which the largest share fell."""
    hits = trials = 0
    worst: tuple[float, Pair | None] = (0.0, None)
    for place, image in enumerate(images):
        pair = change(image, np.random.default_rng((seed, place)), sight)
        if pair is None:
            continue
        fallen, stake = sight.fallen(pair)
        hits, trials = hits + fallen, trials + stake
        if stake and fallen / stake > worst[0]:
            worst = fallen / stake, pair
    what = "pictures" if sight.is_classifier or (worst[1] is not None and worst[1].region is not None) else "objects"
    not_run = "" if trials else "the model sees nothing in the clean pictures"
    return Seen(hits, trials, f"{hits} of {trials} {what}", worst[1], not_run)
