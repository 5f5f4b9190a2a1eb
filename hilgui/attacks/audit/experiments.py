"""Probes that are more than a changed picture: gradients, spoiled tensors and files, timing, memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.aims import Goal, Target
from hilgui.attacks.audit.finding import Kind, Severity
from hilgui.attacks.audit.probe import Probe, Seen, each_changed
from hilgui.attacks.audit.probes import EPSILON
from hilgui.attacks.audit.sight import Pair, Poisoned, Sight
from hilgui.attacks.gradient import Gradients
from hilgui.attacks.objective import remaining
from hilgui.attacks.pixels import fgsm, levels
from hilgui.attacks.square import square_attack
from hilgui.attacks.twin import missing
from hilgui.errors import AttackBroken, HilguiError
from hilgui.inference.preflight import try_model
from hilgui.records import Inference

Pixels = NDArray[np.uint8]
Aimed = Callable[[Pixels, Target, np.random.Generator], Pixels]

_SLOWER = 4.0  # times the usual processor time
_FEW = 4  # pictures of a costly probe of a detector: each shows many objects
_QUERIES = 150
_ROUNDS = 3


def _target(sight: Sight, image: Pixels) -> Target:
    said = sight.look(image)
    if said.classification is not None:
        whole = np.array([[0.0, 0.0, image.shape[1], image.shape[0]]])
        return Target(Goal.HIDE, whole, said.classification.classes[:1])
    shown = said.detections.first(said.detections.count_above(sight.model.threshold))
    return Target(Goal.HIDE, shown.boxes.astype(np.float64), shown.classes)


def _aimed(sight: Sight, images: Sequence[Pixels], seed: int, change: Aimed) -> Seen:
    """Change some pictures in which the model sees something, aimed at what it sees."""

    def pair(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair | None:
        target = _target(sight, image)
        return Pair(image, change(image, target, random)) if len(target.boxes) else None

    return each_changed(sight, images if sight.is_classifier else images[:_FEW], seed, pair)


def _gradient_step(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    if missing():
        return Seen(0, 0, "", not_run=f"the extra `attacks` is not installed ({missing()} missing)")
    try:
        gradients = Gradients(sight.model)
    except AttackBroken as failure:
        return Seen(0, 0, "", not_run=str(failure))

    def change(image: Pixels, target: Target, random: np.random.Generator) -> Pixels:
        return fgsm(image, levels(EPSILON), lambda moved: gradients.of(moved, target))

    return _aimed(sight, images, seed, change)


def _squares(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    def change(image: Pixels, target: Target, random: np.random.Generator) -> Pixels:
        ask = lambda picture: remaining(sight.look(picture), target)  # noqa: E731  # one expression, used once
        return square_attack(image, levels(EPSILON), ask, _QUERIES, random).image

    return _aimed(sight, images, seed, change)


def _spoiled(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Feed NaN and infinity: a model that is sure of something then would be believed."""
    hits = 0
    words: list[str] = []
    poisons = {"NaN": np.nan, "+∞": np.inf, "-∞": -np.inf, "1e30": 1e30}
    for name, poison in poisons.items():
        try:
            with np.errstate(all="ignore"):
                sure = sight.speaks(sight.look(images[0], Poisoned(sight.model, poison)))
        except (HilguiError, ValueError):
            continue  # refused: nobody believes it
        if sure:
            hits += 1
            words.append(f"{name}: {sure} confident answers")
    return Seen(hits, len(poisons), "; ".join(words) or "no confident answer to NaN, infinities, 1e30")


def _shapes(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Feed pictures that are none: refused with a sentence, or answered without a crash."""
    shapes: list[NDArray[np.generic]] = [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((1, 4000, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 3), np.float32),
    ]
    hits = 0
    words: list[str] = []
    for shape in shapes:
        try:
            sight.look(shape)  # type: ignore[arg-type]  # on purpose
        except (HilguiError, ValueError):
            continue
        except Exception as failure:  # whatever else it is, is the finding
            hits += 1
            words.append(f"{shape.shape} {shape.dtype}: {type(failure).__name__}")
    return Seen(hits, len(shapes), "; ".join(words) or "refused or answered, all of them")


def _files(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Cut the model file short and damage its beginning: the bench has to refuse it with a sentence."""
    whole = Path(sight.model.facts.path).read_bytes()
    damaged = {"cut in half": whole[: len(whole) // 2], "first 64 bytes zero": bytes(64) + whole[64:], "empty": b""}
    hits = 0
    words: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hilgui-audit-") as folder:
        for name, content in damaged.items():
            path = Path(folder) / f"{len(words)}-{len(content)}.onnx"
            path.write_bytes(content)
            try:
                try_model(path)
            except HilguiError:
                continue
            except Exception as failure:  # the finding
                words.append(f"{name}: {type(failure).__name__}")
            else:
                words.append(f"{name}: accepted")
            hits += 1
    return Seen(hits, len(damaged), "; ".join(words) or "every damaged file was refused with a sentence")


def _nothing(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Show pictures of nothing: what a model is sure of then, it makes up."""
    random = np.random.default_rng((seed, 3))
    height, width = images[0].shape[:2]
    blanks = {
        name: np.full((height, width, 3), grey, np.uint8)
        for name, grey in (("black", 0), ("grey", 128), ("white", 255))
    }
    blanks["noise"] = random.integers(0, 256, (height, width, 3), np.uint8)
    hits, worst = 0, None
    words: list[str] = []
    for name, blank in blanks.items():
        sure = sight.speaks(sight.look(blank))
        if sure:
            hits, worst = hits + 1, Pair(blank, blank)
            words.append(f"{name}: {sure} confident answers")
    return Seen(hits, len(blanks), "; ".join(words) or "silent on black, grey, white, noise", worst)


def _marked(image: Pixels) -> Pixels:
    """Put a checkerboard marker into the corner, as calibration targets and codes on parcels look."""
    made, side = image.copy(), max(8, min(image.shape[:2]) // 8)
    y, x = np.mgrid[:side, :side]
    made[:side, :side] = ((x * 4 // side + y * 4 // side) % 2 * 255).astype(np.uint8)[..., None]
    return made


def _slow(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Look for pictures that take much longer: they starve a deadline."""
    random = np.random.default_rng((seed, 4))
    usual = min(_cost_ns(sight, image) for image in images[:_FEW])
    height, width = images[0].shape[:2]
    tried = {
        "noise": random.integers(0, 256, (height, width, 3), np.uint8),
        "black": np.zeros((height, width, 3), np.uint8),
        "white": np.full((height, width, 3), 255, np.uint8),
        "a marker in the corner": _marked(images[0]),
        "nine small copies": np.ascontiguousarray(np.tile(images[0][::3, ::3], (3, 3, 1))),
    }
    hits, worst = 0, None
    words: list[str] = []
    for name, image in tried.items():
        times = _cost_ns(sight, image) / max(usual, 1)
        if times > _SLOWER:
            hits, worst = hits + 1, Pair(images[0], image)
            words.append(f"{name}: {times:.0f} times the usual time")
    return Seen(hits, len(tried), "; ".join(words) or f"none took {_SLOWER:g} times the usual time", worst)


def _cost_ns(sight: Sight, image: Pixels) -> int:
    """Give the processor time of this thread, the least of some: what else the machine does plays no part.

    A session with more threads, or on a GPU, works elsewhere: there the wall clock has to do.
    """
    facts = sight.model.facts
    clock = time.thread_time_ns if facts.threads == 1 and facts.provider.startswith("CPU") else time.perf_counter_ns
    costs = []
    for _ in range(_ROUNDS):
        started = clock()
        sight.look(image)
        costs.append(clock() - started)
    return min(costs)


def _memory(sight: Sight, images: Sequence[Pixels], seed: int) -> Seen:
    """Ask about the same picture before and after others: each frame has to be judged by itself."""
    hits = trials = 0
    worst = None
    for first, second in pairwise(images):
        before = sight.look(first)
        sight.look(255 - second)
        if not _same(before, sight.look(first)):
            hits, worst = hits + 1, Pair(first, second)
        trials += 1
    return Seen(hits, trials, f"{hits} of {trials} answers depend on the picture before", worst)


def _same(one: Inference, two: Inference) -> bool:
    first, second = one.classification, two.classification
    if first is not None and second is not None:
        return bool(np.array_equal(first.classes, second.classes) and np.array_equal(first.scores, second.scores))
    return all(
        np.array_equal(getattr(one.detections, name), getattr(two.detections, name))
        for name in ("boxes", "scores", "classes")
    )


_CHECK = "Check tensors and answers for numbers that are not finite; treat both as no answer."
_TIME = "Bound the time of a frame (deadline, hilgui's watchdog) and find the branch that depends on the content."

EXPERIMENTS: tuple[Probe, ...] = (
    Probe("D-fgsm", Kind.PIXEL, f"loses objects under FGSM of ε = {EPSILON:g}", Severity.MEDIUM, 0.3,
          "Measure it with hilgui attack pgd; train adversarially; keep strangers away from the pixels.",
          _gradient_step),
    Probe("D-square", Kind.PIXEL, f"loses objects to {_QUERIES} random squares of ε = {EPSILON:g}", Severity.MEDIUM,
          0.3, "Limit and watch repeated queries; measure it with hilgui attack square.", _squares),
    Probe("E-numbers", Kind.MALFORMED, "is sure of something when fed NaN or infinity", Severity.HIGH, 0.0, _CHECK,
          _spoiled, is_retested=False),
    Probe("E-pictures", Kind.MALFORMED, "crashes on pictures that are none", Severity.HIGH, 0.0, _CHECK, _shapes,
          is_retested=False),
    Probe("E-files", Kind.MALFORMED, "a damaged model file is accepted", Severity.HIGH, 0.0,
          "Import models by hash (hilgui models) and try them before use.", _files, is_retested=False),
    Probe("E-nothing", Kind.MALFORMED, "sees objects in pictures of nothing", Severity.MEDIUM, 0.0,
          "Add empty pictures to the training set; treat a blind camera as a fault (frame health).", _nothing,
          is_retested=False),
    Probe("F-slow", Kind.TIMING, "takes much longer on some pictures", Severity.HIGH, 0.0, _TIME, _slow,
          is_retested=False),
    Probe("F-memory", Kind.TIMING, "answers depend on the picture before", Severity.HIGH, 0.0,
          "Remove state from the network; results could not be repeated.", _memory, is_retested=False),
)  # fmt: skip
