"""Stories: near-identical findings of several runs told as one, so that 200 findings read as a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hilgui.cornercases.criticality import is_vulnerable
from hilgui.cornercases.kinds import NATURES
from hilgui.cornercases.picture_hash import SAME_BITS
from hilgui.cornercases.rank import badness
from hilgui.records import Finding, Kind, Role, Severity, Suspect
from hilgui.settings import CriticalityLimits

NEAR_S = 1.0  # findings on one object that are not farther apart are one sight

_MISSED = frozenset({Kind.MISSED_CRITICAL, Kind.MISSED_OBJECT, Kind.LATE_DETECTION, Kind.GAP, Kind.POOR_LOCALISATION})
_INVENTED = frozenset({Kind.PHANTOM, Kind.OVERCONFIDENT, Kind.SHORT_LIVED})
_UNSTEADY = frozenset(
    {Kind.FLICKER, Kind.BORDERLINE, Kind.CLASS_FLIP, Kind.IDENTITY_SWITCH, Kind.JITTER, Kind.DUPLICATE}
)
_FIGURES = frozenset({Kind.DRIFT, Kind.OVERCONFIDENT})  # those without an object: habits of a model
_CRITICALITY = CriticalityLimits()
_SAID = {
    Kind.DRIFT: "figures that drift",
    Kind.FROZEN_FRAME: "frozen pictures",
    Kind.BLACK_FRAME: "black pictures",
    Kind.OVER_EXPOSED: "blinded pictures",
    Kind.BLUR: "blurred or flat pictures",
    Kind.NOISE_BURST: "noisy pictures",
    Kind.TIME_FAULT: "faults of time",
    Kind.DEADLINE_MISS: "missed deadlines",
    Kind.INVALID_OUTPUT: "output that is no boxes",
    Kind.OVERCONFIDENT: "scores that promise too much",
}
_SHOWN_LABELS = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with the run that it comes from."""

    run: str
    drive: str
    conditions: str  # of the drive, as in " at night in rain"; "" where its labels do not say
    finding: Finding

    @property
    def label(self) -> str:
        """Give the class of its first object, "" where it has none."""
        return self.finding.objects[0].label if self.finding.objects else ""


@dataclass(frozen=True, slots=True)
class Story:
    """Findings that tell the same, the worst first."""

    title: str
    told: tuple[Told, ...]
    sights: int  # different moments or objects: findings on one object, or of one look, count once

    @property
    def severity(self) -> Severity:
        """Give the highest."""
        return max(each.finding.severity for each in self.told)

    @property
    def drives(self) -> int:
        """Count the drives."""
        return len({each.drive for each in self.told})


_Key = tuple[str, Role | None, str, str, Suspect | None]


def stories(told: Iterable[Told]) -> list[Story]:
    """Group findings by what they tell, which model, which conditions and who is suspected; worst first.

    Misses, late detections, gaps and bad boxes tell one story of the vulnerable road users and one of all others;
    phantoms and short lives another; what trembles, flickers or changes its name one of the model, and so do figures
    that drift. Pure; 1,000 findings take about 20 ms.
    """
    groups: dict[_Key, list[Told]] = {}
    for each in told:
        groups.setdefault(_key(each), []).append(each)
    found = []
    for key, group in groups.items():
        group.sort(key=lambda each: badness(each.finding))
        found.append(Story(_title(key, group), tuple(group), _count_sights(group)))
    return sorted(found, key=lambda story: (-story.severity, -len(story.told), story.title))


def _key(each: Told) -> _Key:
    finding = each.finding
    usual = NATURES[finding.kind].suspect
    suspect = None if finding.suspect is usual else finding.suspect
    if finding.kind in _MISSED:
        return "missed", finding.role, _group(each.label), each.conditions, suspect
    if finding.kind in _INVENTED and finding.objects:
        return "invented", finding.role, "", each.conditions, suspect
    if finding.kind in _UNSTEADY:
        return "unsteady", finding.role, "", each.conditions, suspect
    if finding.kind in _FIGURES:
        return "figures", finding.role, "", each.conditions, suspect
    return finding.kind.value, finding.role, "", each.conditions, suspect


def _group(label: str) -> str:
    """Tell people on the road from the rest: missing them is another story."""
    return "vulnerable" if is_vulnerable(label, _CRITICALITY) else "others"


def _title(key: _Key, group: Sequence[Told]) -> str:
    family, role, _, conditions, suspect = key
    who = f" by the {role}" if role else ""
    if family == "missed":
        text = f"{_labels(group)}{conditions} missed{who}"
    elif family == "invented":
        is_brief = all(each.finding.kind is Kind.SHORT_LIVED for each in group)
        how = "for a moment only" if is_brief else "where none is"
        text = f"{_labels(group)}{conditions} reported{who} {how}"
    elif family == "unsteady":
        text = f"unsteady output of the {role}{conditions}: {_labels(group)}"
    elif family == "figures":
        said = dict.fromkeys(_SAID[each.finding.kind] for each in group)
        text = f"{' and '.join(said)}{f' of the {role}' if role else ''}{conditions}"
    elif family == Kind.DISAGREEMENT.value:
        text = f"the models disagree{conditions}{_odd(group)}"
    else:
        of = f" of the {role}" if role else ""
        text = f"{_SAID.get(Kind(family), family)}{of}{conditions}"
    if suspect is not None:
        text += f", {suspect} suspected"
    findings, drives = len(group), len({each.drive for each in group})
    return f"{text}, {findings} finding{'s' * (findings > 1)}, {drives} drive{'s' * (drives > 1)}"


def _odd(group: Sequence[Told]) -> str:
    votes = Counter(
        Role.CANDIDATE if each.finding.evidence["candidate_is_odd"] else Role.BASELINE
        for each in group
        if "candidate_is_odd" in each.finding.evidence
    )
    if not votes:
        return ""
    (role, count), *others = votes.most_common(2)
    return "" if others and others[0][1] == count else f", the {role} is the odd one out"


def _labels(group: Sequence[Told]) -> str:
    """Name the classes, the most frequent first."""
    labels = [name for name, _ in Counter(each.label for each in group).most_common(_SHOWN_LABELS)]
    return ", ".join(_plural(name) for name in labels)


def _plural(name: str) -> str:
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name}s"


@dataclass(slots=True)
class _Sight:
    """One object or look: where it was last, and its track."""

    run: str
    track: int
    last_s: float


@dataclass(slots=True)
class _Sights:
    """Counts greedily: a finding joins the first sight that is the same object soon after, or that looks the same."""

    by_track: dict[tuple[str, int], _Sight] = field(default_factory=dict)
    hashes: list[int] = field(default_factory=list)
    count: int = 0


def _count_sights(group: Sequence[Told]) -> int:
    sights = _Sights()
    for each in sorted(group, key=lambda one: (one.run, one.finding.first_seq)):
        finding = each.finding
        track = finding.objects[0].track if finding.objects else -1
        seen = sights.by_track.get((each.run, track)) if track >= 0 else None
        code = finding.crop_hash or finding.frame_hash
        is_known = seen is not None and finding.first_s - seen.last_s <= NEAR_S
        if not is_known and code and sights.hashes:
            apart = np.bitwise_count(np.array(sights.hashes, np.uint64) ^ np.uint64(int(code, 16)))
            is_known = int(apart.min()) <= SAME_BITS
        if not is_known:
            sights.count += 1
            if code:
                sights.hashes.append(int(code, 16))
        if track >= 0:
            last_s = finding.last_s if seen is None else max(seen.last_s, finding.last_s)
            sights.by_track[each.run, track] = _Sight(each.run, track, last_s)
    return sights.count
