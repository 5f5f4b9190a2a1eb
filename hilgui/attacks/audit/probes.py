"""Probes that change a picture: each with its class, its severity, the rate from which it is a finding, what helps."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.audit import posters
from hilgui.attacks.audit.finding import Kind, Severity
from hilgui.attacks.audit.probe import Change, Probe, changing
from hilgui.attacks.audit.sight import Pair, Sight
from hilgui.attacks.pixels import levels, noise
from hilgui.corruptions import CORRUPTIONS

Pixels = NDArray[np.uint8]

EPSILON = 0.03
_DARK_MEAN = 24.0  # grey levels: a street at night without lamps


def _corrupted(name: str, severity: float) -> Change:
    def change(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
        return Pair(image, np.asarray(CORRUPTIONS[name].apply(image, severity, random), np.uint8))

    return change


def _darkness(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
    gain = min(1.0, _DARK_MEAN / max(float(image.mean()), 1.0))
    return Pair(image, np.rint(image * gain).astype(np.uint8))


def _glaring(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
    return Pair(image, np.clip(image.astype(np.float32) * 1.6 + 40, 0, 255).astype(np.uint8))


def _rendered(make: Callable[[Pixels, np.random.Generator], tuple[Pixels, posters.Region]]) -> Change:
    def change(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
        made, region = make(image, random)
        return Pair(image, made, region)

    return change


def _worded(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
    names = sight.model.facts.classes or ("STOP",)
    made, region = posters.sign(image, random, names[int(random.integers(0, min(len(names), 8)))])
    return Pair(image, made, region)


def _sheet(kind: str, tall: int, wide: int, random: np.random.Generator) -> Pixels:
    y, x = np.mgrid[:tall, :wide]
    if kind == "magenta":
        return np.full((tall, wide, 3), (255, 0, 255), np.uint8)
    if kind == "checkerboard":
        grey: Pixels = (((x * 6 // wide) + (y * 6 // tall)) % 2 * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if kind == "stripes":
        mask = ((x + y) * 8 // (wide + tall)) % 2 == 0
        striped: Pixels = np.where(mask[..., None], np.array((0, 220, 255)), np.array((0, 0, 0))).astype(np.uint8)
        return striped
    if kind == "red":
        return np.full((tall, wide, 3), (0, 0, 255), np.uint8)
    coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (wide, tall), interpolation=cv2.INTER_NEAREST), np.uint8)


def _patched(kind: str) -> Change:
    def change(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
        height, width = image.shape[:2]
        tall, wide = int(height * random.uniform(0.15, 0.3)), int(width * random.uniform(0.1, 0.2))
        top, left = int(random.integers(height // 3, height - tall)), int(random.integers(0, width - wide))
        made = image.copy()
        made[top : top + tall, left : left + wide] = _sheet(kind, tall, wide, random)
        margin = 0.15 * wide
        return Pair(image, made, (left - margin, top - margin, left + wide + margin, top + tall + margin))

    return change


def _covered(kind: str) -> Change:
    """Stick a patch on every object: a quarter of its area, which leaves enough to be recognised by."""

    def change(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair | None:
        boxes = sight.boxes(image) if not sight.is_classifier else np.array([[0, 0, *image.shape[1::-1]]], np.float32)
        if not len(boxes):
            return None
        made = image.copy()
        for x1, y1, x2, y2 in boxes.tolist():
            wide, tall = (x2 - x1) / 2, (y2 - y1) / 2
            left, top = round(x1 + wide / 2), round(y1 + tall / 2)
            part = made[top : top + max(1, round(tall)), left : left + max(1, round(wide))]
            if part.size:
                part[:] = _sheet(kind, part.shape[0], part.shape[1], random)
        return Pair(image, made)

    return change


def _noisy(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
    return Pair(image, noise(image, levels(EPSILON), random))


def _shifted(image: Pixels, random: np.random.Generator, sight: Sight) -> Pair:
    matrix = np.array([[1, 0, 2], [0, 1, 1]], np.float32)
    size = image.shape[1], image.shape[0]
    return Pair(image, np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8))


_LIGHT = "Train and validate with more of this light; let the bench watch exposure (drift) and hand over to a fallback."
_LENS = "Watch the lens and the link on line, and treat a picture like this as missing, not as empty."
_FLAT = "Ask for a second cue: ground contact, motion over frames, depth; posters do not walk."
_PATCH = "Train with patches pasted in, ask for agreement of two models, and track over frames before acting."
_PIXEL = "Measure defences (hilgui attack … --defences), train adversarially, protect the path from camera to model."

CHANGED: tuple[Probe, ...] = (
    Probe("A-darkness", Kind.SENSING, "loses objects in the dark", Severity.HIGH, 0.8, _LIGHT,
          changing(_darkness)),
    Probe("A-glare", Kind.SENSING, "loses objects in glaring light", Severity.HIGH, 0.8, _LIGHT,
          changing(_glaring)),
    *(
        Probe(f"A-{name}", Kind.SENSING, f"loses objects: {name.replace('_', ' ')}", Severity.MEDIUM, 0.5, advice,
              changing(_corrupted(name, 3.0)))
        for name, advice in (
            ("low_light", _LIGHT), ("exposure", _LIGHT), ("sun_glare", _LIGHT), ("fog", _LIGHT), ("rain", _LENS),
            ("motion_blur", _LENS), ("defocus_blur", _LENS), ("lens_drops", _LENS), ("dirt", _LENS),
            ("dead_pixels", _LENS), ("low_bit_rate", _LENS),
        )
    ),
    Probe("B-poster", Kind.SEMANTIC, "takes a person on a poster for one", Severity.MEDIUM, 0.3, _FLAT,
          changing(_rendered(posters.poster))),
    Probe("B-van", Kind.SEMANTIC, "takes a person painted on a van for one", Severity.MEDIUM, 0.3, _FLAT,
          changing(_rendered(posters.van))),
    Probe("B-reflection", Kind.SEMANTIC, "takes a reflection for a road user", Severity.MEDIUM, 0.3, _FLAT,
          changing(_rendered(posters.reflection))),
    Probe("B-words", Kind.SEMANTIC, "sees what is only written on a sign", Severity.MEDIUM, 0.3, _FLAT,
          changing(_worded)),
    *(
        Probe(f"C-fires-{kind}", Kind.PATCH, f"sees an object where a {kind} patch is", Severity.HIGH, 0.4, _PATCH,
              changing(_patched(kind)))
        for kind in ("magenta", "checkerboard", "stripes", "red", "blocks")
    ),
    *(
        Probe(f"C-hides-{kind}", Kind.PATCH, f"loses objects with a {kind} patch on them", Severity.MEDIUM, 0.6, _PATCH,
              changing(_covered(kind)))
        for kind in ("magenta", "checkerboard", "blocks")
    ),
    Probe("D-noise", Kind.PIXEL, f"loses objects under random noise of ε = {EPSILON:g}", Severity.HIGH, 0.5, _PIXEL,
          changing(_noisy)),
    Probe("D-shift", Kind.PIXEL, "loses objects when the picture moves by two pixels", Severity.MEDIUM, 0.2, _PIXEL,
          changing(_shifted)),
)  # fmt: skip
