"""Tries the common ways to prepare a picture and tells when another one suits a model much better.

Wrong colours or a wrong scale still draw boxes: YOLOX-nano falls from AP .367 to .005 and nobody notices. On a handful
of labelled frames the right convention stands out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.evaluation import AveragePrecision
from hilgui.evaluation.clusters import resample
from hilgui.evaluation.ranked import RankedRows
from hilgui.inference import Model
from hilgui.inference.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from hilgui.records import Frame, Loss, Task, Truth
from hilgui.sources import source_for
from hilgui.stream import StopToken
from hilgui.truth import agree, join, read_labels, relabel

_MUCH_BETTER = 0.05  # of AP, and
_TIMES_BETTER = 1.3
_DRAWS = 200  # of the frames: what holds in every one of them is beyond chance
_SEED = 20240607
_ONES = (1.0, 1.0, 1.0)
_ZEROS = (0.0, 0.0, 0.0)

# name → scale, mean, std in the order of RGB
_LEVELS: dict[str, tuple[float, tuple[float, ...], tuple[float, ...]]] = {
    "0..255": (1.0, _ZEROS, _ONES),
    "0..1": (1 / 255, _ZEROS, _ONES),
    "-1..1": (1.0, (127.5,) * 3, (127.5,) * 3),
    "ImageNet": (1 / 255, IMAGENET_MEAN, IMAGENET_STD),
}
_PLACES: dict[str, dict[str, Any]] = {
    "letterbox top left, pad 114": {"resize": "letterbox", "anchor": "top_left", "pad": 114},
    "letterbox centre, pad 114": {"resize": "letterbox", "anchor": "center", "pad": 114},
    "letterbox centre, pad 0": {"resize": "letterbox", "anchor": "center", "pad": 0},
    "stretch": {"resize": "stretch"},
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One convention and what it reached."""

    name: str
    preprocess: Preprocess
    ap: float | None
    ap50: float | None


@dataclass(frozen=True, slots=True)
class ConventionCheck:
    """How the model is prepared now, and what else was tried, best first."""

    model: Path
    frames: int
    truths: int
    now: Tried
    tried: tuple[Tried, ...]
    is_sure: bool  # the best is much better than now however the frames are drawn
    alike: tuple[str, ...]  # which the frames do not tell from the best

    @property
    def leading(self) -> Tried | None:
        """Give the best of the others where it is much better here: by .05 of AP and by three tenths."""
        best = self.tried[0]
        return best if best.ap is not None and _is_much_better(best.ap, self.now.ap or 0.0) else None

    @property
    def better(self) -> Tried | None:
        """Give the best of the others where it is much better, and not by the chance of these frames."""
        return self.leading if self.is_sure else None

    def card_lines(self) -> str:
        """Give the card that asks for the better way; empty where the present one is fine."""
        if self.better is None:
            return ""
        wanted = asdict(self.better.preprocess)
        keys = (
            "color",
            "scale",
            "mean",
            "std",
            "resize",
            *(("anchor", "pad") if wanted["resize"] == "letterbox" else ()),
        )
        lines = [f"  {key}: {list(wanted[key]) if isinstance(wanted[key], tuple) else wanted[key]}" for key in keys]
        return "\n".join(["schema: hilgui/model.v1", "input:", *lines])

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "model": str(self.model),
            "frames": self.frames,
            "truths": self.truths,
            "now": asdict(self.now),
            "tried": [asdict(each) for each in self.tried],
            "leading": None if self.leading is None else asdict(self.leading),
            "better": None if self.better is None else asdict(self.better),
            "alike": list(self.alike),
            "card": self.card_lines(),
        }


def check_conventions(
    model_path: Path,
    truth: Path,
    source: Path,
    *,
    card: Path | None = None,
    class_map: str | None = None,
    provider: str = "auto",
    most_frames: int = 12,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> ConventionCheck:
    """Measure AP of each convention on the first labelled frames that show an object.

    First the four ranges of grey levels in both orders of colours, placed as now; then the best of them in each
    place. `told` hears after each how many of how many are done. Raises HilguiError.
    """
    model = Model.load(model_path, provider=provider, threads=2, card=card)
    try:
        if model.facts.task != Task.DETECTION:
            raise CallWrong(f"model {model_path} is for {model.facts.task}; input conventions are checked on detectors")
        bench = _Bench(model, _labelled(model, truth, source, class_map, most_frames))
        total = 1 + 2 * len(_LEVELS) + len(_PLACES)
        now = bench.measure("as it is now", model.preprocess)
        tried: list[Tried] = []
        for name, wanted in _colours(model.preprocess):
            tried.append(bench.measure(name, wanted))
            told(len(tried) + 1, total)
        best = max(tried, key=_ap)
        for place, changed in _PLACES.items():
            wanted = Preprocess(**{**asdict(best.preprocess), **changed})
            tried.append(bench.measure(f"{best.name.split(',')[0]}, {place}", wanted))
            told(len(tried) + 1, total)
        tried.sort(key=lambda each: -_ap(each))
        best = tried[0]
        others = [each for each in tried[1:] if each.preprocess != best.preprocess]
        return ConventionCheck(
            model_path,
            len(bench.frames),
            bench.truths,
            now,
            tuple(tried),
            is_sure=bench.always_much_better(best, now),
            alike=tuple(each.name for each in others if not bench.always_much_better(best, each)),
        )
    finally:
        model.close()


class _Bench:
    """The labelled frames, and one way to prepare them after the other."""

    def __init__(
        self, model: Model, found: tuple[list[tuple[Frame, Truth]], frozenset[int], NDArray[np.int32]]
    ) -> None:
        self._model = model
        self.frames, self._judged, self._table = found
        self.truths = sum(int(np.count_nonzero(~truth.ignore & ~truth.crowd)) for _, truth in self.frames)
        self._draws = np.random.default_rng(_SEED).multinomial(
            len(self.frames), np.full(len(self.frames), 1.0 / len(self.frames)), _DRAWS
        )
        self._ranked: dict[str, RankedRows] = {}

    def measure(self, name: str, wanted: Preprocess) -> Tried:
        precision = AveragePrecision(self._judged)
        workspace = self._model.workspace(wanted)
        for frame, truth in self.frames:
            found = self._model.infer(frame.image, workspace).detections
            precision.add(found.with_classes(self._table[found.classes]), truth)
        figures = precision.figures()
        self._ranked[name] = precision.ranked()
        return Tried(name, wanted, figures.map_50_95, figures.map_50)

    def always_much_better(self, one: Tried, other: Tried) -> bool:
        """Say whether one way is much better than another in every draw of the frames."""
        ways = [self._ranked[each.name] for each in (one, other)]

        def compared(weights: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.array(
                [_is_much_better(*(ranked.averages(weights).mean[0] or 0.0 for ranked in ways))], np.float64
            )

        return bool(resample(compared, self._draws).all())


def _labelled(
    model: Model, truth: Path, path: Path, class_map: str | None, most: int
) -> tuple[list[tuple[Frame, Truth]], frozenset[int], NDArray[np.int32]]:
    labels = read_labels(truth)
    source = source_for(path, None)
    try:
        source.open()
        joined = join(labels, source.refs())
        agreed = agree(labels.names, class_map, [model.classes], suggested=labels.class_map)
        truths = {seq: relabel(each, agreed.truth_classes) for seq, each in joined.truths.items()}
        judged = agreed.vocabulary.judged
        frames: list[tuple[Frame, Truth]] = []
        for frame in source.frames(StopToken()):
            if isinstance(frame, Loss) or frame.ref.seq not in truths:
                continue
            here = truths[frame.ref.seq]
            if judged & set(here.classes[~here.ignore].tolist()):
                frames.append((frame, here))
            if len(frames) == most:
                break
    finally:
        source.close()
    if not frames:
        raise CallWrong(f"{truth} labels no object of a class that the model knows in {path}; nothing to check with")
    return frames, judged, agreed.model_classes[0]


def _colours(now: Preprocess) -> Iterator[tuple[str, Preprocess]]:
    kept = asdict(now)
    for levels, (scale, mean, std) in _LEVELS.items():
        for color in ("rgb", "bgr"):
            step = 1 if color == "rgb" else -1
            changed = {"color": color, "scale": scale, "mean": mean[::step], "std": std[::step]}
            yield f"{color.upper()} {levels}, placed as now", Preprocess(**{**kept, **changed})


def _is_much_better(ap: float, now: float) -> bool:
    return ap >= now + _MUCH_BETTER and ap >= now * _TIMES_BETTER


def _ap(tried: Tried) -> float:
    return -1.0 if tried.ap is None else tried.ap
