"""How often objects that wear a patch are lost, and whether one patch hides more than another. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes half a second to import

from hilgui.attacks.measure import wilson
from hilgui.evaluation import Clusters, Interval
from hilgui.evaluation.shares import Shares
from hilgui.robustness import Check

ALPHA = 0.025  # one-sided, as the better patch is named before it is measured


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """One patch on every object that the clean picture had shown, each in its turn."""

    name: str
    fallen: NDArray[np.bool_]  # (objects,) lost behind the patch

    @property
    def lost(self) -> int:
        """Count the objects that were lost."""
        return int(self.fallen.sum())

    @property
    def rate(self) -> float:
        """Give their share."""
        return float(self.fallen.mean())

    @property
    def interval(self) -> Interval | None:
        """Give Wilson's interval of the share, the objects taken for independent."""
        return wilson(self.lost, len(self.fallen))

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        interval = None if self.interval is None else self.interval.as_json()
        return {
            "patch": self.name,
            "lost": self.lost,
            "at_stake": len(self.fallen),
            "rate": self.rate,
            "interval": interval,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What the optimised patch hides more than a control on the same objects, placed alike."""

    control: str
    only_optimised: int  # objects that are lost behind the optimised patch and not behind the control
    only_control: int
    difference: float  # of the shares
    interval: Interval | None  # resampled by pictures, or blocks of a drive
    p: float  # one-sided sign test over these

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "control": self.control,
            "only_optimised": self.only_optimised,
            "only_control": self.only_control,
            "difference": self.difference,
            "interval": None if self.interval is None else self.interval.as_json(),
            "p": self.p,
        }


def gain(optimised: Worn, control: Worn, pictures: NDArray[np.int64], clusters: Clusters) -> Gain:
    """Pair two patches; `pictures` (objects,) says which picture, `clusters` which pictures belong together.

    The sign test over pictures is McNemar's exact one (Psychometrika 1947) where each holds one object: those in which
    both patches hide as many say nothing, of the others half go either way if the patches are equally good.
    """
    more = optimised.fallen.astype(np.float64) - control.fallen
    present, places = np.unique(clusters.of_frame[pictures], return_inverse=True)
    tested = Clusters(places.astype(np.int64), tuple(clusters.names[each] for each in present), clusters.unit)
    objects = np.arange(len(more))
    sums = tested.sums(objects, more)
    better, worse = int((sums > 0).sum()), int((sums < 0).sum())
    share = Shares(objects, more, objects, np.ones(len(more)), "objects")
    return Gain(
        control.name,
        int((more > 0).sum()),
        int((more < 0).sum()),
        float(more.mean()),
        share.interval(tested),
        float(special.bdtrc(better - 1, better + worse, 0.5)),
    )


def check(optimised: Worn, gains: tuple[Gain, ...]) -> Check:
    """Say whether the optimised patch hides more than every control; None: more, but no more than chance may do."""
    name = "a patch that was optimised hides more than one that was not"
    against = ", ".join(
        f"{one.only_optimised} more and {one.only_control} fewer than {one.control} (p = {one.p:.2g})" for one in gains
    )
    words = f"optimised {optimised.lost} of {len(optimised.fallen)} lost; {against}"
    if any(one.difference <= 0 for one in gains):
        return Check(name, False, f"{words}: the search was too weak, take more tries")
    if any(one.p > ALPHA for one in gains):
        return Check(name, None, f"{words}: that may be chance, take more pictures")
    return Check(name, True, words)
