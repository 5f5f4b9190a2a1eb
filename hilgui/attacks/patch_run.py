"""Optimises a patch on some pictures, measures it on others beside grey and random ones, and stores what to print."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui import __version__
from hilgui.attacks.aims import Goal, Target
from hilgui.attacks.drawing import drawn, jpeg, png
from hilgui.attacks.gallery import Gallery
from hilgui.attacks.measure import all_targets
from hilgui.attacks.objective import remaining
from hilgui.attacks.patch import apply, height_mm, objects_of, placed, random_grid, search
from hilgui.attacks.patch_pdf import write_pdf
from hilgui.attacks.worn import Gain, Worn, check, gain
from hilgui.durable import write_document
from hilgui.errors import CallWrong
from hilgui.records import Role
from hilgui.robustness import ATTACKS, Cell, Check, Example, Headline, Result, Shown, write_picture, write_result

Pixels = NDArray[np.uint8]

_EXAMPLES = 6
_LARGEST_SHARE = 0.8  # of the object's height: more is no patch any more


@dataclass(frozen=True, slots=True, eq=False)
class Patched:
    """What one patch is worth."""

    worn: tuple[Worn, ...]  # grey, random, optimised
    gains: tuple[Gain, ...]  # of the optimised one over the others
    side_mm: float
    class_name: str
    tries: int
    check: Check

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "side_mm": self.side_mm,
            "class": self.class_name,
            "tries": self.tries,
            "worn": [one.as_json() for one in self.worn],
            "gains": [one.as_json() for one in self.gains],
            "check": {"is_good": self.check.is_good, "sentence": self.check.sentence},
        }


def patch_attack(
    gallery: Gallery,
    root: Path,
    *,
    class_name: str,
    side_mm: float,
    tries: int,
    seed: int,
    command: tuple[str, ...],
    tell: Callable[[int, int], None],
    folder: Path | None = None,
) -> tuple[Path, Patched]:
    """Search on every second picture, measure on the others; gives the folder. Raises CallWrong where nothing fits."""
    share = side_mm / height_mm(class_name)
    if not 0 < share <= _LARGEST_SHARE:
        raise CallWrong(
            f"a patch of {side_mm:g} mm is {share:.0%} of a {class_name} of {height_mm(class_name):g} mm; "
            f"take up to {_LARGEST_SHARE:.0%}"
        )
    objects = objects_of(gallery, all_targets(gallery, Goal.HIDE, "" if gallery.is_classifier else class_name))
    seen = [one for one in objects if _is_seen(gallery, gallery.shots[one[0]].image, one)]
    learnt, tested = [one for one in seen if one[0] % 2 == 0], [one for one in seen if one[0] % 2]
    if not learnt or not tested:
        raise CallWrong(f"the model finds no {class_name} tall enough for a patch in both halves; take more pictures")
    random = np.random.default_rng(seed)
    found = search(gallery, learnt, share, tries, random, tell=tell)
    grids = {
        "grey": np.full_like(found.grid, 128),
        "random": random_grid(np.random.default_rng(seed + 1)),
        "optimised": found.grid,
    }
    worn, examples = [], []
    for name, grid in grids.items():
        one, pairs = _wear(gallery, grid, tested, share, name, seed)
        worn.append(one)
        if name == "optimised":
            examples = pairs
    pictures = np.array([place for place, _ in tested])
    clusters = gallery.clusters()
    gains = tuple(gain(worn[-1], control, pictures, clusters) for control in worn[:-1])
    made = Patched(tuple(worn), gains, side_mm, class_name, tries, check(worn[-1], gains))
    digest = hashlib.sha256(found.grid.tobytes() + gallery.model.facts.sha256.encode()).hexdigest()[:10]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", gallery.model.facts.name).strip("-")[:40] or "model"
    folder = folder or root / f"{ATTACKS}-{stem}-patch-{digest}"
    _store(folder, gallery, made, found.grid, examples, seed, command)
    return folder, made


def _is_seen(gallery: Gallery, image: Pixels, one: tuple[int, Target]) -> bool:
    answer = gallery.look(image, gallery.shots[one[0]]).inference
    return remaining(answer, one[1]) >= (0.0 if gallery.is_classifier else gallery.model.threshold)


def _wear(
    gallery: Gallery, grid: Pixels, objects: Sequence[tuple[int, Target]], share: float, name: str, seed: int
) -> tuple[Worn, list[tuple[int, Target, Pixels]]]:
    """Stick a patch on every object, one at a time, placed alike for every patch."""
    lost = np.zeros(len(objects), np.bool_)
    examples: list[tuple[int, Target, Pixels]] = []
    for number, (place, target) in enumerate(objects):
        placement = placed(place, target, share, np.random.default_rng((seed, number)))
        image = apply(gallery.shots[place].image, grid, placement)
        if not _is_seen(gallery, image, (place, target)):
            lost[number] = True
            if len(examples) < _EXAMPLES:
                examples.append((place, target, image))
    return Worn(name, lost), examples


def _store(
    folder: Path,
    gallery: Gallery,
    made: Patched,
    grid: Pixels,
    fallen: Sequence[tuple[int, Target, Pixels]],
    seed: int,
    command: tuple[str, ...],
) -> None:
    examples: list[Example] = []
    for place, target, image in fallen:
        shot = gallery.shots[place]
        box = tuple(float(value) for value in target.boxes[0])
        before = (Shown((box[0], box[1], box[2], box[3]), made.class_name, "found"),)
        after = (Shown((box[0], box[1], box[2], box[3]), made.class_name, "missed"),)
        stem = f"{shot.ref.seq:06d}-{len(examples)}"
        clean = write_picture(folder, f"clean-{stem}.png", png(shot.image))
        changed = write_picture(folder, f"patch-{stem}.png", png(image))
        both = np.concatenate((drawn(shot.image, before), drawn(image, after)), axis=1)
        write_picture(folder, f"side-by-side-{stem}.jpg", jpeg(both))
        words = f"{made.class_name} lost behind a patch of {made.side_mm:g} mm"
        examples.append(Example(gallery.facts()[0].name, shot.ref.seq, words, clean, changed, before, after))
    large = np.asarray(cv2.resize(grid, None, fx=64, fy=64, interpolation=cv2.INTER_NEAREST), np.uint8)
    write_picture(folder, "patch.png", png(large))
    write_pdf(folder / "patch.pdf", grid, made.side_mm, f"hilgui patch against {gallery.model.facts.name}")
    role = Role.BASELINE
    cells = [
        Cell(one.name, "lost", role, one.rate, one.interval, len(one.fallen),
             examples=tuple(examples) if one.name == "optimised" else ())
        for one in made.worn
    ]  # fmt: skip
    write_result(
        folder,
        Result(
            kind=ATTACKS,
            id=folder.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            title=f"patch of {made.side_mm:g} mm on {made.class_name} · {gallery.model.facts.name}",
            question={"attack": "patch", "side_mm": made.side_mm, "class": made.class_name, "tries": made.tries,
                      "seed": seed},
            command=command,
            models=gallery.subjects(),
            drives=gallery.facts(),
            measure="share of objects lost",
            rows=tuple(one.name for one in made.worn),
            columns=("lost",),
            cells=tuple(cells),
            families={one.name: "patch" for one in made.worn},
            better="lower",
            headlines=(
                *(Headline(f"lost, {one.name}", role, one.rate, one.interval, "", "lower") for one in made.worn),
                *(Headline(f"optimised − {one.control}", role, one.difference, one.interval, "", "lower")
                  for one in made.gains),
            ),
            checks=(made.check,),
            notes=("searched on every second picture, measured on the others, each object with a fresh placement",),
            is_whole=True,
        ),
    )  # fmt: skip
    write_document(folder / "attack.json", json.dumps(made.as_json(), indent=1).encode())
