"""Slice search: conditions, up to three together, under which a model finds less; confirmed on other drives.

Frames of a drive resemble each other, so the unit of the test is a block of about 100 of them (of ten pictures in an
unordered set, see `clusters`): the difference of the recall inside and outside a slice has a variance that is robust to
clusters (Liang and Zeger, 1986), Student's t with one degree of freedom less than there are blocks. On the discovery
drives the false discovery rate is held by Benjamini and Hochberg (1995) over everything that was looked at; what passes
is tested again on the other drives, where Holm (1979) holds the chance of any false alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hilgui.evaluation.clusters import BLOCK
from hilgui.evaluation.slice_bins import UNKNOWN
from hilgui.evaluation.slices import SliceRows

Floats = NDArray[np.float64]

_FLAT = 1e-12  # a spread below is rounding: all blocks are alike


@dataclass(frozen=True, slots=True)
class SearchRule:
    """What a slice needs to be looked at and to be told."""

    most_conditions: int = 3
    least_truths: int = 50
    least_blocks: int = 3
    least_gap: float = 0.05  # of recall, to everything outside the slice
    least_gain: float = 0.02  # by which another condition must lower the recall of a slice
    discovery_rate: float = 0.10  # Benjamini and Hochberg, discovery drives
    error_rate: float = 0.05  # Holm, other drives
    most_told: int = 20


@dataclass(frozen=True, slots=True)
class WeakSlice:
    """A slice in which recall is lower; `confirmed` is None where the other drives do not hold enough of it."""

    conditions: tuple[tuple[str, str], ...]  # dimension and value
    recall: float
    outside: float  # recall of everything else
    truths: int
    blocks: int
    p: float  # one-sided, discovery drives
    q: float  # adjusted after Benjamini and Hochberg
    other_recall: float | None = None  # on the other drives
    other_outside: float | None = None
    other_truths: int = 0
    other_p: float | None = None  # adjusted after Holm
    confirmed: bool | None = None

    @property
    def words(self) -> str:
        """Name the slice."""
        return " and ".join(f"{dimension} {value}" for dimension, value in self.conditions)

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "conditions": dict(self.conditions),
            "recall": self.recall,
            "recall_outside": self.outside,
            "truths": self.truths,
            "blocks": self.blocks,
            "p": self.p,
            "q_benjamini_hochberg": self.q,
            "other_drives": {
                "recall": self.other_recall,
                "recall_outside": self.other_outside,
                "truths": self.other_truths,
                "p_holm": self.other_p,
            },
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search."""

    weak: tuple[WeakSlice, ...]  # largest gap first
    looked_at: int  # slices with enough truths
    discovery: tuple[str, ...]  # drives
    others: tuple[str, ...]
    error_rate: float = 0.05  # Holm, other drives
    other_blocks: int = 0  # of the drives that confirm
    unit: str = BLOCK  # what a block is

    @property
    def blocks_needed(self) -> int:
        """Count the blocks inside a slice from which the p-value can pass the correction for all slices told.

        It never falls below one half to the power of the blocks.
        """
        return math.ceil(math.log2(max(len(self.weak), 1) / self.error_rate))

    @property
    def hint(self) -> str:
        """Say in a sentence that nothing can be confirmed with these drives, "" where something can."""
        if not self.others:
            return "nothing can be confirmed with one drive: add others, which the search does not look at"
        if self.other_blocks >= self.blocks_needed:
            return ""
        each = max(1, self.other_blocks // len(self.others))
        drives = 2 * math.ceil(self.blocks_needed / each)
        return (
            f"nothing can be confirmed with these drives: the others hold {self.other_blocks} × {self.unit}, a "
            f"slice must lie in {self.blocks_needed} of them; take {drives} drives like these or more"
        )

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "looked_at": self.looked_at,
            "discovery_drives": list(self.discovery),
            "other_drives": list(self.others),
            "other_blocks": self.other_blocks,
            "blocks_needed": self.blocks_needed,
            "hint": self.hint,
            "correction": "Benjamini-Hochberg on the discovery drives, Holm on the others",
            "weak": [each.as_json() for each in self.weak],
        }


@dataclass(frozen=True, slots=True)
class _Tested:
    columns: tuple[int, ...]
    codes: tuple[int, ...]
    recall: float
    outside: float
    truths: int
    blocks: int
    p: float


def search(rows: SliceRows, rule: SearchRule | None = None) -> Searched:
    """Search the even drives in the order given (first, third, …) and confirm on the odd ones."""
    rule = rule or SearchRule()
    is_other = rows.drives % 2 == 1
    here, there = rows.where(~is_other), rows.where(is_other)
    tested = _looked_at(here, rule)
    adjusted = benjamini_hochberg(np.array([each.p for each in tested]))
    found = [
        (each, float(q))
        for each, q in zip(tested, adjusted, strict=True)
        if q <= rule.discovery_rate and each.outside - each.recall >= rule.least_gap
    ]
    found = _without_idle_conditions(found, tested, rule)
    found.sort(key=lambda pair: (pair[0].recall - pair[0].outside, pair[0].columns, pair[0].codes))
    told = found[: rule.most_told]
    again = [_test(there, each.columns, each.codes, rule) for each, _ in told]
    holm_p = iter(holm(np.array([each.p for each in again if each is not None])).tolist())
    weak = []
    for (each, q), other in zip(told, again, strict=True):
        p = None if other is None else next(holm_p)
        weak.append(
            WeakSlice(
                conditions=tuple(
                    (rows.dimensions[column], rows.values[column][code])
                    for column, code in zip(each.columns, each.codes, strict=True)
                ),
                recall=each.recall,
                outside=each.outside,
                truths=each.truths,
                blocks=each.blocks,
                p=each.p,
                q=q,
                other_recall=None if other is None else other.recall,
                other_outside=None if other is None else other.outside,
                other_truths=0 if other is None else other.truths,
                other_p=p,
                confirmed=None if p is None else p <= rule.error_rate,
            )
        )
    names = rows.drive_names
    blocks = len(np.unique(there.clusters))
    return Searched(tuple(weak), len(tested), names[0::2], names[1::2], rule.error_rate, blocks, rows.unit)


def benjamini_hochberg(p: Floats) -> Floats:
    """Give the adjusted p-values that hold the false discovery rate."""
    order = np.argsort(p, kind="stable")
    count = len(p)
    scaled = p[order] * count / np.arange(1, count + 1)
    adjusted: Floats = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def holm(p: Floats) -> Floats:
    """Give the adjusted p-values that hold the chance of any false rejection."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted: Floats = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(p) else scaled
    return adjusted


def weaker_p(
    matched: NDArray[np.bool_], inside: NDArray[np.bool_], clusters: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Give recall inside, recall outside and the one-sided p-value of "inside is not lower".

    Never below ½ to the power of the blocks with rows inside: so many coins can fall alike by chance.
    """
    rate_in, rate_out = float(matched[inside].mean()), float(matched[~inside].mean())
    _, block = np.unique(clusters, return_inverse=True)
    size = int(block.max()) + 1
    pull = np.where(inside, (matched - rate_in) / inside.sum(), -(matched - rate_out) / (~inside).sum())
    sums = np.bincount(block, pull, size)
    spread = float(np.sqrt(size / max(size - 1, 1) * (sums @ sums)))
    floor = 0.5 ** len(np.unique(block[inside]))
    gap = rate_in - rate_out
    if size < 2:
        return rate_in, rate_out, 1.0
    if spread <= _FLAT:
        return rate_in, rate_out, floor if gap < 0 else 1.0
    return rate_in, rate_out, max(float(special.stdtr(size - 1, gap / spread)), floor)


def _looked_at(rows: SliceRows, rule: SearchRule) -> list[_Tested]:
    """Test every slice with enough truths and something outside; all slices of the same conditions at once."""
    tested: list[_Tested] = []
    if not len(rows.matched):
        return tested
    useful = [column for column, values in enumerate(rows.values) if len(values) > 1]
    _, block = np.unique(rows.clusters, return_inverse=True)
    for count in range(1, rule.most_conditions + 1):
        for columns in combinations(useful, count):
            tested += _tested_together(rows, columns, block.reshape(-1), rule)
    return tested


def _tested_together(
    rows: SliceRows, columns: tuple[int, ...], block: NDArray[np.int64], rule: SearchRule
) -> list[_Tested]:
    """Test the slices of some dimensions as `weaker_p` does each of them, from counts by slice and block."""
    sizes = [len(rows.values[column]) for column in columns]
    flat = np.ravel_multi_index([rows.codes[:, column] for column in columns], sizes)
    present, slice_of, counts = np.unique(flat, return_inverse=True, return_counts=True)
    size = int(block.max()) + 1
    places = slice_of.reshape(-1) * size + block
    inside = np.bincount(places, minlength=len(present) * size).reshape(-1, size).astype(np.float64)
    found = np.bincount(places, rows.matched, len(present) * size).reshape(-1, size)
    codes = np.stack(np.unravel_index(present, sizes), axis=1)
    is_known = np.ones(len(present), np.bool_)
    for place, column in enumerate(columns):
        if UNKNOWN in rows.values[column]:
            is_known &= codes[:, place] != rows.values[column].index(UNKNOWN)
    blocks = (inside > 0).sum(axis=1)
    kept = is_known & (counts >= rule.least_truths) & (counts < len(flat)) & (blocks >= rule.least_blocks)
    every, all_found = np.bincount(block, minlength=size), np.bincount(block, rows.matched, size)
    inside, found, blocks, codes = inside[kept], found[kept], blocks[kept], codes[kept]
    truths, others = inside.sum(axis=1), (every - inside).sum(axis=1)
    rate_in, rate_out = found.sum(axis=1) / truths, (all_found - found).sum(axis=1) / others
    pull_in = (found - rate_in[:, None] * inside) / truths[:, None]
    pull_out = (all_found - found - rate_out[:, None] * (every - inside)) / others[:, None]
    spread = np.sqrt(size / max(size - 1, 1) * ((pull_in - pull_out) ** 2).sum(axis=1))
    gap, floor = rate_in - rate_out, 0.5**blocks
    if size < 2:
        p = np.ones(len(gap))
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            tail = np.maximum(special.stdtr(size - 1, gap / spread), floor)
        p = np.where(spread > _FLAT, tail, np.where(gap < 0, floor, 1.0))
    return [
        _Tested(
            columns, tuple(each), float(rate_in[row]), float(rate_out[row]), int(truths[row]), int(blocks[row]), p_of
        )
        for row, (each, p_of) in enumerate(zip(codes.tolist(), p.tolist(), strict=True))
    ]


def _test(rows: SliceRows, columns: tuple[int, ...], codes: tuple[int, ...], rule: SearchRule) -> _Tested | None:
    """Test one slice; None where it holds too little, or where one of its conditions is not known."""
    if any(rows.values[column][code] == UNKNOWN for column, code in zip(columns, codes, strict=True)):
        return None
    inside = (rows.codes[:, columns] == codes).all(axis=1)
    truths = int(inside.sum())
    if truths < rule.least_truths or truths == len(inside):
        return None
    blocks = len(np.unique(rows.clusters[inside]))
    if blocks < rule.least_blocks:
        return None
    recall, outside, p = weaker_p(rows.matched, inside, rows.clusters)
    return _Tested(columns, codes, recall, outside, truths, blocks, p)


def _without_idle_conditions(
    found: list[tuple[_Tested, float]], tested: list[_Tested], rule: SearchRule
) -> list[tuple[_Tested, float]]:
    """Leave out slices that a slice with fewer conditions explains as well."""
    recalls = {frozenset(zip(each.columns, each.codes, strict=True)): each.recall for each in tested}
    kept = []
    for each, q in found:
        own = list(zip(each.columns, each.codes, strict=True))
        wider = [
            recalls[frozenset(part)]
            for count in range(1, len(own))
            for part in combinations(own, count)
            if frozenset(part) in recalls
        ]
        if all(each.recall <= recall - rule.least_gain for recall in wider):
            kept.append((each, q))
    return kept
