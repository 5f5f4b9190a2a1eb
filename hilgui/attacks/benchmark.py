"""One attack measured: pictures before and after, noise and PGD as controls, defences, examples; stored as a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.aims import Target
from hilgui.attacks.defences import ENSEMBLE, SMOOTHERS, ensemble
from hilgui.attacks.gallery import Answer, Gallery, Shot
from hilgui.attacks.gradient import Gradients
from hilgui.attacks.measure import Damage, all_targets, clean_answers, measure, wilson, worked
from hilgui.attacks.objective import remaining
from hilgui.attacks.pixels import fgsm, levels, noise, pgd
from hilgui.attacks.question import CLEAN, FATES, FGSM, NAMES, NOISE, PGD, SQUARE, WHITE_BOX, AttackQuestion, self_check
from hilgui.attacks.smoothing import certify
from hilgui.attacks.square import square_attack
from hilgui.errors import CallWrong
from hilgui.evaluation import Interval
from hilgui.robustness import Check

Pixels = NDArray[np.uint8]
Tell = Callable[[int, int], None]

EXAMPLES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture that shows what the attack did."""

    shot: Shot
    attacked: Pixels
    before: Answer
    after: Answer
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Defended:
    """What a defence costs on clean pictures, and what it wins back on attacked ones."""

    name: str
    clean: Damage
    attacked: Damage
    ms: float  # per picture, more than without

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "name": self.name,
            "clean": self.clean.as_json(),
            "attacked": self.attacked.as_json(),
            "ms_per_picture": round(self.ms, 2),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """What randomised smoothing certifies."""

    pictures: int
    sigma: float
    abstained: int
    agreeing: int  # smoothed answer is the label
    radii: tuple[float, ...]  # certified L2 radius of those that agree, 0..1 pixels
    epsilon_l2: float  # L2 size of the attack, for comparison
    ms: float
    interval: Interval | None = None  # of agreeing / pictures

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "pictures": self.pictures,
            "sigma": self.sigma,
            "abstained": self.abstained,
            "agreeing": self.agreeing,
            "interval": None if self.interval is None else self.interval.as_json(),
            "median_radius": float(np.median(self.radii)) if self.radii else None,
            "l2_of_attack": self.epsilon_l2,
            "ms_per_picture": round(self.ms, 1),
        }


@dataclass(slots=True, eq=False)
class Attacked:
    """Everything one attack gave."""

    question: AttackQuestion
    measure: str  # "AP .50:.95" or "accuracy"
    damages: dict[str, Damage] = field(default_factory=dict)  # by method, clean first
    checks: tuple[Check, ...] = ()
    samples: list[Sample] = field(default_factory=list)
    defences: list[Defended] = field(default_factory=list)
    smoothed: Smoothed | None = None
    notes: tuple[str, ...] = ()

    @property
    def was_strong(self) -> bool | None:
        """Say whether the attack passed its self-check; None where that cannot be told."""
        if any(check.is_good is False for check in self.checks):
            return False
        return True if self.checks and all(check.is_good for check in self.checks) else None

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "attack": self.question.method,
            "goal": self.question.goal.value,
            "epsilon": self.question.epsilon,
            "measure": self.measure,
            "conditions": [each.as_json() for each in self.damages.values()],
            "checks": [{"name": each.name, "is_good": each.is_good, "sentence": each.sentence} for each in self.checks],
            "was_strong": self.was_strong,
            "defences": [each.as_json() for each in self.defences],
            "smoothing": None if self.smoothed is None else self.smoothed.as_json(),
            "notes": list(self.notes),
        }


class Benchmark:
    """Runs the attacks of one question on one gallery; one thread."""

    def __init__(self, gallery: Gallery, question: AttackQuestion, tell: Tell) -> None:
        """Prepare; raises AttackBroken where a white-box attack cannot be made, CallWrong for an ε that is none."""
        try:
            self._most = levels(question.epsilon)
        except ValueError as failure:
            raise CallWrong(str(failure)) from failure
        self._gallery = gallery
        self._question = question
        self._tell = tell
        wants_gradient = any(method in WHITE_BOX for method in question.methods)
        self._gradients = Gradients(gallery.model) if wants_gradient else None
        self._targets = all_targets(gallery, question.goal, question.class_name)
        self._done = 0
        rounds = 1 + len(question.methods) + (2 * len(SMOOTHERS) if question.is_defended else 0)
        self._total = rounds * len(gallery.shots)

    def run(self) -> Attacked:
        """Measure everything."""
        gallery, question = self._gallery, self._question
        made = Attacked(question, "accuracy" if gallery.is_classifier else "AP .50:.95")
        clean = clean_answers(gallery)
        self._count(len(clean))
        base = measure(CLEAN, gallery, clean, clean, None, self._targets)
        made.damages[CLEAN] = base
        kept: list[Pixels] = []
        for method in question.methods:
            images, answers, ms = self._attack(method)
            made.damages[method] = measure(method, gallery, answers, clean, base.draws, self._targets, ms)
            if method == question.method:
                kept = images
                made.samples = self._samples(images, clean, answers)
        made.checks = self_check(made.damages, question.goal)
        if question.is_defended:
            made.defences = list(self._defences(kept, clean, base))
            if gallery.is_classifier:
                made.smoothed = self._smoothed(kept)
        made.notes = self._notes()
        return made

    def _attack(self, method: str) -> tuple[list[Pixels], list[Answer], float]:
        images, answers, spent = [], [], 0.0
        for place, (shot, target) in enumerate(zip(self._gallery.shots, self._targets, strict=True)):
            started = time.perf_counter()
            random = np.random.default_rng((self._question.seed, place, list(NAMES).index(method)))
            image = self._changed(method, shot, target, random) if len(target.boxes) else shot.image
            spent += time.perf_counter() - started
            images.append(image)
            answers.append(self._gallery.look(image, shot))
            self._count(1)
        return images, answers, spent * 1000 / max(len(images), 1)

    def _changed(self, method: str, shot: Shot, target: Target, random: np.random.Generator) -> Pixels:
        def gradient(image: NDArray[np.floating]) -> NDArray[np.float32]:
            assert self._gradients is not None
            return self._gradients.of(image, target)

        if method == NOISE:
            return noise(shot.image, self._most, random)
        if method == FGSM:
            return fgsm(shot.image, self._most, gradient)
        if method == PGD:
            return pgd(shot.image, self._most, gradient, self._question.steps, random)

        def objective(image: Pixels) -> float:
            return remaining(self._gallery.look(image, shot).inference, target)

        limit = 0.0 if self._gallery.is_classifier else -1e9
        return square_attack(
            shot.image, self._most, objective, self._question.queries, random, lambda value: value < limit
        ).image

    def _samples(self, images: Sequence[Pixels], clean: Sequence[Answer], answers: Sequence[Answer]) -> list[Sample]:
        """Keep the pictures that suffered most."""
        ranked: list[tuple[float, int]] = []
        for place, (before, after) in enumerate(zip(clean, answers, strict=True)):
            hits, at_stake = worked(self._gallery, after, before, self._targets[place])
            if hits:
                ranked.append((hits + hits / max(at_stake, 1), place))
        ranked.sort(key=lambda pair: (-pair[0], pair[1]))
        return [
            Sample(
                self._gallery.shots[place],
                images[place],
                clean[place],
                answers[place],
                self._words(clean[place], answers[place], self._targets[place]),
            )
            for _, place in ranked[:EXAMPLES]
        ]

    def _words(self, before: Answer, after: Answer, target: Target) -> str:
        said = after.inference.classification
        if said is not None and before.inference.classification is not None:
            old, names = before.inference.classification, self._gallery.classes
            first, second = (f"{names[int(one.classes[0])]} {one.scores[0]:.2f}" for one in (old, said))
            return f"{first} became {second}"
        hits, at_stake = worked(self._gallery, after, before, target)
        return f"{hits} of {at_stake} {FATES[target.goal]}"

    def _defences(self, attacked: Sequence[Pixels], clean: Sequence[Answer], base: Damage) -> Iterator[Defended]:
        gallery, originals = self._gallery, [shot.image for shot in self._gallery.shots]
        for name, smooth in SMOOTHERS.items():
            started = time.perf_counter()
            smoothed = [smooth(image) for image in originals]
            ms = (time.perf_counter() - started) * 1000 / len(smoothed)
            sides = []
            for images in (smoothed, [smooth(image) for image in attacked]):
                answers = [gallery.look(image, shot) for image, shot in zip(images, gallery.shots, strict=True)]
                sides.append(self._measured(name, answers, clean, base))
                self._count(len(gallery.shots))
            yield Defended(name, sides[0], sides[1], ms)
        if gallery.baseline is None or gallery.is_classifier:
            return
        sides, spent = [], 0.0
        for images in (originals, list(attacked)):
            answers = []
            for image, shot in zip(images, gallery.shots, strict=True):
                mine = gallery.look(image, shot)
                started = time.perf_counter()
                merged = ensemble(mine.detections, gallery.look_baseline(image))
                spent += time.perf_counter() - started
                answers.append(gallery.judge_boxes(mine.inference, merged, shot))
            sides.append(self._measured(ENSEMBLE, answers, clean, base))
        yield Defended(ENSEMBLE, sides[0], sides[1], spent * 1000 / (2 * len(originals)))

    def _measured(self, name: str, answers: Sequence[Answer], clean: Sequence[Answer], base: Damage) -> Damage:
        return measure(name, self._gallery, answers, clean, base.draws, self._targets)

    def _smoothed(self, attacked: Sequence[Pixels]) -> Smoothed:
        """Certify some of the attacked pictures, as these are what a defence is for."""
        gallery, question = self._gallery, self._question
        random = np.random.default_rng((question.seed, 99))
        started, found, sizes = time.perf_counter(), [], []
        for image, shot in list(zip(attacked, gallery.shots, strict=True))[: question.certified]:

            def answer(picture: Pixels, shot: Shot = shot) -> int:
                said = gallery.look(picture, shot).inference.classification
                return -1 if said is None else int(said.classes[0])

            found.append((certify(image, answer, question.sigma, random), shot.label))
            sizes.append(float(np.linalg.norm((image.astype(np.float64) - shot.image) / 255)))
        agreeing = [one.radius for one, label in found if one.label == label]
        return Smoothed(
            len(found),
            question.sigma,
            sum(one.label < 0 for one, _ in found),
            len(agreeing),
            tuple(agreeing),
            float(np.mean(sizes)),
            (time.perf_counter() - started) * 1000 / max(len(found), 1),
            wilson(len(agreeing), len(found)),
        )

    def _notes(self) -> tuple[str, ...]:
        question, gallery = self._question, self._gallery
        notes = [*gallery.notes]
        notes.append(
            f"ε = {question.epsilon:g} of the range: {self._most} of 255 grey levels, kept after rounding to 8 bits, "
            "scored by onnxruntime through the whole preparation"
        )
        if self._gradients is not None:
            notes.append(
                f"PGD: {question.steps} steps of {2.5 * self._most / question.steps:.2f} levels from a random start; "
                f"PyTorch twin differs from onnxruntime by {self._gradients.difference:.1e} of the largest output"
            )
        if SQUARE in question.methods:
            notes.append(f"Square: {question.queries} queries a picture, black box, answers of onnxruntime only")
        if gallery.is_classifier or question.truth == "self":
            notes.append("the truth is what the model says of the clean picture, so that clean is 1 by definition")
        if question.is_defended:
            notes.append(
                "the attack does not know the defences: an adaptive attacker does better, so what they win back is the "
                "most that they can be worth"
            )
        return tuple(dict.fromkeys(notes))

    def _count(self, done: int) -> None:
        self._done += done
        self._tell(min(self._done, self._total), self._total)
