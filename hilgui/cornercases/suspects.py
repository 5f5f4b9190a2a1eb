"""Suspects: model, label, rig or timing, each named by a rule that can be read in the finding."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.kinds import NATURES
from hilgui.records import Finding, Hit, Kind, Role, Suspect

ImageOf = Callable[[int], NDArray[np.uint8] | None]  # pixels by sequence number, None where they are gone

NAMED_SHARE = 1 / 3  # of the frames of a finding, that a rule must speak for
FAULTY_SHARE = 0.5  # of the frames of a finding: from here on the picture explains it

OF_LABELS = "labels"  # thread of a time fault that is of the labels and not of the pictures
_RIG_FAULTS = (Kind.FROZEN_FRAME, Kind.BLACK_FRAME, Kind.OVER_EXPOSED, Kind.BLUR, Kind.NOISE_BURST)
_FAULTS = (*_RIG_FAULTS, Kind.TIME_FAULT)
_NO_RULE = {
    Suspect.MODEL: "no rule points elsewhere: the picture is sound, the times are right, no label is contradicted",
    Suspect.RIG: "the picture itself is at fault, before any model saw it",
    Suspect.TIMING: "the times themselves are at fault",
    Suspect.LABEL: "the label itself is at fault",
}


def no_image(_seq: int) -> NDArray[np.uint8] | None:
    """Give no pixels: for moments that come out of a store."""
    return None


def suspect_in_words(finding: Finding) -> str:
    """Name who to look at first: "candidate", "label", …; "model" where it may be either, "" where nobody is named."""
    if finding.suspect_model is not None:
        return finding.suspect_model.value
    return "" if finding.suspect is None else finding.suspect.value


@dataclass(slots=True)
class Votes:
    """What the frames of one finding say about its suspect.

    A suspect that a rule names wins from a third of the frames on (a rule may need some frames before it can speak);
    else it is the one that is usual for the kind.
    """

    counts: Counter[Suspect] = field(default_factory=Counter)
    sentences: dict[Suspect, str] = field(default_factory=dict)
    roles: Counter[Role] = field(default_factory=Counter)  # frames that name one of two models
    role_sentences: dict[Role, str] = field(default_factory=dict)

    def cast(self, hit: Hit) -> None:
        """Count the vote of one frame."""
        suspect = hit.suspect or NATURES[hit.kind].suspect
        self.counts[suspect] += 1
        if hit.suspect_why:
            self.sentences[suspect] = hit.suspect_why
        if hit.suspect_role is not None:
            self.roles[hit.suspect_role] += 1
            self.role_sentences[hit.suspect_role] = hit.suspect_why

    def role(self, worst: Role | None) -> tuple[Role | None, str]:
        """Give the model that the worst frame names, else most of the frames that name one; and the rule."""
        named = worst or next((role for role, _ in self.roles.most_common(1)), None)
        return named, "" if named is None else self.role_sentences[named]

    def won(self, kind: Kind) -> tuple[Suspect, str]:
        """Give the suspect and the rule that named it."""
        usual = NATURES[kind].suspect
        named = {each: count for each, count in self.counts.items() if each is not usual}
        suspect = max(named, key=lambda each: named[each], default=usual)
        if self.counts[suspect] < NAMED_SHARE * self.counts.total():
            suspect = usual
        return suspect, self.sentences.get(suspect, _NO_RULE[suspect])


class Faults:
    """Remembers the frames whose picture or time was at fault, to excuse what was judged on them; 9 bytes each."""

    def __init__(self) -> None:
        self._seqs = array("q")  # rising, and beside them
        self._kinds = bytearray()  # places in _FAULTS

    def note(self, hit: Hit) -> None:
        """Take a hit; only those of the picture and of its time count."""
        if hit.kind not in _FAULTS or hit.thread == OF_LABELS:
            return
        place = bisect_left(self._seqs, hit.seq)
        if self._seqs[place : place + 1] != array("q", [hit.seq]):
            self._seqs.insert(place, hit.seq)
            self._kinds.insert(place, _FAULTS.index(hit.kind))

    def named(self, kind: Kind, first: int, last: int, evaluated: int) -> tuple[Suspect, str] | None:
        """Blame rig or timing where at least half of the `evaluated` frames of a finding are at fault, else None."""
        if kind in _FAULTS or kind is Kind.DEADLINE_MISS:
            return None
        inside = self._kinds[bisect_left(self._seqs, first) : bisect_right(self._seqs, last)]
        if not inside or len(inside) < FAULTY_SHARE * evaluated:
            return None
        fault = _FAULTS[Counter(inside).most_common(1)[0][0]]
        return (
            Suspect.RIG if fault in _RIG_FAULTS else Suspect.TIMING,
            f"{len(inside)} of its {evaluated} frames have {fault.value}: what is judged there is not the model",
        )
