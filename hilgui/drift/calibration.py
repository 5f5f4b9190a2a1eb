"""How far apart a window may lie from its reference without drift: learnt from the blocks of the reference itself.

The stated rate is the chance that a stream without drift raises any alarm in so many windows. Four tenths of it go to
shifts of means, four to the distances of distributions, one each to Page–Hinkley and ADWIN; each is divided among
its figures (Bonferroni), so figures that go together make it smaller, never larger. Where features are compared too, a
fifth of the rate is theirs, all of it for their distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes half a second to import

from hilgui.drift.distances import kernel, median_width
from hilgui.drift.psi import BINS
from hilgui.drift.reference import Reference, thin
from hilgui.drift.sample import bundle_of, is_single

SHIFT, KS, PSI, MMD, PAGE_HINKLEY, ADWIN = "shift", "ks", "psi", "mmd", "page_hinkley", "adwin"

LEAST_WINDOW = 2  # blocks of a window; one says nothing
USUAL_FRAMES, USUAL_SAMPLES = 100, 20  # of a window, at least: frames, and samples of features
_OF_FEATURES = 0.2  # of the rate
_SHARES = {"means": 0.4, "distances": 0.4, PAGE_HINKLEY: 0.1, ADWIN: 0.1}
_DRAWS = 2000
_STREAMS = 600
_TAIL = 20  # draws beyond the level that is still read off; rarer ones are reckoned from there
_GRID = 256  # places at which cumulative distributions are compared
_ROUNDING = 1e-5  # share of a mean: a reference keeps seven digits
POINTS = 16  # frames of a block that a kernel sees
_LONGEST = 600  # blocks of a simulated stream
_LEAST = {SHIFT: 0.5, KS: 0.1, PSI: 0.1, MMD: 0.05}  # less is no drift worth an alarm, however sure it is
_SILENT = {SHIFT: math.inf, KS: 0.95, PSI: 4.0, MMD: 1.3}  # a limit above this can hardly be passed at all
BORNE = 0.25  # of Page–Hinkley, in deviations of a block

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a statistic of a figure (or of a group of them) may reach; None where the window is too small to say."""

    figure: str
    statistic: str
    value: float | None
    reached: float  # without drift; where `value` is None: too much


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The reference as the monitor needs it, and the limits for windows of so many blocks."""

    reference: Reference
    rate: float
    windows: int
    window: int  # blocks
    figures: tuple[str, ...]  # compared one by one
    groups: dict[str, tuple[int, ...]]  # columns compared together
    limits: tuple[Limit, ...]
    means: Values  # (F,) of the figures
    block_spread: Values  # (F,) deviation of the means of blocks
    frame_spread: Values  # (F,) deviation of frames
    stream_limit: float  # of Page–Hinkley, in deviations of a block
    delta: float  # of ADWIN, for each figure
    widths: dict[str, float]  # of the kernel
    scales: tuple[Values, Values]  # mean and deviation of all columns
    points: dict[str, Values]  # of the kernel, by group

    @property
    def window_frames(self) -> int:
        """Count the frames of a window."""
        return self.window * self.reference.block


def usual_window(reference: Reference) -> int:
    """Give how many blocks make a window where nobody asks for another."""
    least = USUAL_SAMPLES if reference.per_s else USUAL_FRAMES
    return max(LEAST_WINDOW, math.ceil(least / reference.block))


def divided(rate: float, *, has_features: bool) -> tuple[float, float]:
    """Divide the stated rate between figures of every frame and features."""
    return ((1.0 - _OF_FEATURES) * rate, _OF_FEATURES * rate) if has_features else (rate, 0.0)


def calibrate(reference: Reference, *, rate: float, windows: int, window: int, seed: int = 0) -> Calibration:
    """Work out the limits; raises ValueError where window, rate or windows make no sense. About a second."""
    if window < LEAST_WINDOW or not 0 < rate < 1 or windows < 1:
        raise ValueError(f"a window of {window} blocks, a rate of {rate} or {windows} windows make no sense")
    values = reference.values
    every = values.reshape(-1, values.shape[2])
    deviations = every.std(axis=0)
    spread = values.mean(axis=1).std(axis=0, ddof=1)
    means = every.mean(axis=0)
    still = np.abs(means) * _ROUNDING  # a score that is always .9 varies by what the file rounds away, and no more
    names = reference.names
    single = [place for place, name in enumerate(names) if is_single(name) and spread[place] > still[place]]
    groups: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(names):
        if deviations[place] > still[place]:
            groups[bundle_of(name)] = (*groups.get(bundle_of(name), ()), place)
    rng = np.random.default_rng(seed)
    level = 1.0 - (1.0 - rate) ** (1.0 / windows)
    share = _SHARES["distances"] if single else 1.0
    drawn = _Draws(rng, reference, window, level, level * share / max(2 * len(single) + len(groups), 1))
    scales = means, np.where(deviations > still, deviations, 1.0)
    limits: list[Limit] = []
    shift = drawn.shift(len(single))
    for place in single:
        column = values[:, :, place]
        edges = np.unique(np.quantile(column, np.arange(1, BINS) / BINS))
        reach = shift * float(spread[place] / deviations[place])
        limits.append(_limit(names[place], SHIFT, reach))
        limits.append(_limit(names[place], KS, drawn.reach(drawn.ks(column))))
        limits.append(_limit(names[place], PSI, drawn.reach(drawn.psi(column, edges), power=2)))
    points, widths = {}, {}
    for group, places in groups.items():
        seen = np.stack([thin(block[:, places], POINTS) for block in values])
        seen = (seen - scales[0][list(places)]) / scales[1][list(places)]
        points[group] = seen.reshape(-1, len(places))
        widths[group] = median_width(points[group][:: max(1, len(points[group]) // 500)])
        limits.append(_limit(group, MMD, drawn.reach(drawn.mmd(points[group], widths[group], seen.shape[1]))))
    figures = tuple(names[place] for place in single)
    blocks = (values.mean(axis=1)[:, single] - every.mean(axis=0)[single]) / spread[single]
    return Calibration(
        reference=reference,
        rate=rate,
        windows=windows,
        window=window,
        figures=figures,
        groups=groups,
        limits=tuple(limits),
        means=every.mean(axis=0)[single],
        block_spread=spread[single],
        frame_spread=deviations[single],
        stream_limit=_stream_limit(rng, blocks, min(windows * window, _LONGEST), _SHARES[PAGE_HINKLEY] * rate)
        * reference.caution**2,
        delta=_SHARES[ADWIN] * rate / max(len(figures), 1) / max(windows * window, 1),
        widths=widths,
        scales=scales,
        points=points,
    )


def _limit(figure: str, statistic: str, reached: float) -> Limit:
    is_silent = reached >= _SILENT[statistic]
    return Limit(figure, statistic, None if is_silent else max(reached, _LEAST[statistic]), reached)


class _Draws:
    """Pseudo-references and pseudo-windows without drift: blocks of the reference, drawn with replacement."""

    def __init__(self, rng: np.random.Generator, reference: Reference, window: int, level: float, each: float) -> None:
        blocks = self._blocks = reference.blocks
        self._window, self._caution = window, reference.caution
        even = np.full(blocks, 1.0 / blocks)
        self._before = rng.multinomial(blocks, even, _DRAWS) / blocks  # (draws, blocks): shares
        self._now = rng.multinomial(window, even, _DRAWS) / window
        self._apart = self._now - self._before
        self._level = level
        self._each = each  # chance of a false alarm of one distance in one window

    def shift(self, figures: int) -> float:
        """Give the limit of a mean in deviations of a block: Student's t, for the deviation is itself estimated."""
        each = self._level * _SHARES["means"] / max(figures, 1)
        wide = math.sqrt(1.0 / self._window + 1.0 / self._blocks) * self._caution
        return float(special.stdtrit(self._blocks - 1, 1.0 - each / 2.0)) * wide

    def reach(self, drawn: Values, power: int = 1) -> float:
        """Give what a statistic stays below but for its share of the rate.

        A level rarer than the draws can tell is reckoned from their tail, as that of Student's t with a degree of
        freedom for each block less one; so is what a resample of few blocks lacks in spread.
        """
        shallow = max(self._each, _TAIL / _DRAWS)
        steep = float(special.stdtrit(self._blocks - 1, 1.0 - self._each / 2.0) / special.ndtri(1.0 - shallow / 2.0))
        factor = steep * self._caution * math.sqrt(self._blocks / (self._blocks - 1))
        return float(np.quantile(drawn, 1.0 - shallow)) * factor**power

    def ks(self, column: Values) -> Values:
        """Give the Kolmogorov–Smirnov distance of each draw; `column` is (blocks, kept)."""
        grid = np.unique(np.quantile(column, np.linspace(0, 1, _GRID)))
        below = np.stack([np.searchsorted(np.sort(block), grid, side="right") for block in column]) / column.shape[1]
        return np.asarray(np.abs(self._apart @ below).max(axis=1), np.float64)

    def psi(self, column: Values, edges: Values) -> Values:
        """Give the population stability index of each draw."""
        bins = len(edges) + 1
        counts = np.stack(
            [np.bincount(np.searchsorted(edges, block, side="right"), minlength=bins) for block in column]
        )
        shares = []
        for drawn, blocks in ((self._before, self._blocks), (self._now, self._window)):
            each = drawn @ counts * blocks + 0.5
            shares.append(each / each.sum(axis=1, keepdims=True))
        return np.asarray(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum(axis=1), np.float64)

    def mmd(self, points: Values, width: float, kept: int) -> Values:
        """Give the maximum mean discrepancy of each draw; `points` is (blocks · kept, columns)."""
        alike = kernel(points, points, width).reshape(self._blocks, kept, self._blocks, kept).mean(axis=(1, 3))
        squares = np.einsum("di,ij,dj->d", self._apart, alike, self._apart, optimize=True)
        return np.asarray(np.sqrt(np.maximum(squares, 0.0)), np.float64)


def _stream_limit(rng: np.random.Generator, blocks: Values, horizon: int, level: float) -> float:
    """Give what Page–Hinkley stays below over a stream of blocks that follows the reference; `blocks` is (B, F)."""
    if not blocks.size:
        return math.inf
    known = len(blocks)
    rise = fall = np.zeros((_STREAMS, blocks.shape[1]))
    lowest, highest = np.full(rise.shape, math.inf), np.full(rise.shape, -1.0)
    mean, most = np.zeros(rise.shape), np.zeros(_STREAMS)
    for step in range(known + horizon):
        drawn = blocks[rng.integers(0, known, _STREAMS)]
        mean = mean + (drawn - mean) / (step + 1)
        rise, fall = rise + drawn - mean - BORNE, fall + drawn - mean + BORNE
        lowest, highest = np.minimum(lowest, rise), np.maximum(highest, fall)
        if step >= known:
            most = np.maximum(most, np.maximum(rise - lowest, highest - fall).max(axis=1))
    shallow = max(level, _TAIL / 2 / _STREAMS)
    steep = special.stdtrit(known - 1, 1.0 - level / 2.0) / special.ndtri(1.0 - shallow / 2.0)
    return float(np.quantile(most, 1.0 - shallow) * steep)
