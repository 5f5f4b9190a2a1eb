"""One vocabulary for a run: the names of the labels and of the models brought together."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, Truth, Vocabulary
from hilgui.truth.classmap import ClassMap, load_class_map

NO_MAP = "none"  # what an operator types to keep the suggested class map off


@dataclass(frozen=True, slots=True, eq=False)
class Agreed:
    """How each side's class numbers become numbers of the run's vocabulary."""

    vocabulary: Vocabulary
    truth_classes: NDArray[np.int32]  # label class → vocabulary class, NO_CLASS where unmapped
    model_classes: list[NDArray[np.int32]]  # for each model: model class → vocabulary class
    unmapped: tuple[str, ...]  # label names that the class map leaves out
    notes: tuple[str, ...]  # sentences for the operator
    class_map: dict[str, str] = field(default_factory=dict)  # label name → compared name, as applied


def agree(
    label_names: Sequence[str] | None,
    class_map: ClassMap | str | None,
    model_names: Sequence[Sequence[str]],
    requested: Sequence[str] = (),
    *,
    suggested: str = "",
) -> Agreed:
    """Settle what is compared; names compare without regard to case.

    `label_names` is None without truth. `class_map` is a map, the name or path of one, NO_MAP, or None: then
    `suggested` (`Labels.class_map`) is applied if it makes more classes comparable than the bare names do. The
    vocabulary holds the names of the labels (after the map) in file order, then those only models know. Judged are the
    names that every side knows, of `requested` where that is not empty. Raises CallWrong for a requested name that
    nobody knows, and when labels and models have nothing in common.
    """
    chosen, notes = _choose(label_names, class_map, model_names, suggested)
    targets = [_mapped(name, chosen) for name in label_names or ()]
    names, numbers = _collect([*(name for name in targets if name is not None), *_flat(model_names)])
    sides = [_known(spoken) for spoken in model_names]
    if label_names is not None:
        sides.append(_known([name for name in targets if name is not None]))
    shared = set.intersection(*sides) if sides else set()
    if label_names and model_names and not shared:
        raise CallWrong(_nothing_in_common(label_names, model_names))
    wanted = _wanted(requested, names, numbers)
    judged = frozenset(numbers[key] for key in shared if not wanted or key in wanted)
    left_out = [names[numbers[key]] for key in wanted if key not in shared]
    if left_out:
        notes.append(f"not compared, because not every model and the labels know it: {', '.join(left_out)}")
    unmapped = tuple(name for name, target in zip(label_names or (), targets, strict=True) if target is None)
    if unmapped:
        notes.append(f"labels without a compared class are ignore regions: {', '.join(unmapped)}")
    return Agreed(
        Vocabulary(tuple(names), judged),
        np.array([NO_CLASS if target is None else numbers[_key(target)] for target in targets], np.int32),
        [np.array([numbers[_key(name)] for name in spoken], np.int32) for spoken in model_names],
        unmapped,
        tuple(notes),
        {name: target for name, target in zip(label_names or (), targets, strict=True) if target and chosen},
    )


def relabel(truth: Truth, truth_classes: NDArray[np.int32]) -> Truth:
    """Give a truth the numbers of the vocabulary; what has none becomes an ignore region."""
    classes = np.where(truth.classes == NO_CLASS, NO_CLASS, np.append(truth_classes, NO_CLASS)[truth.classes])
    return replace(truth, classes=classes.astype(np.int32), ignore=truth.ignore | (classes == NO_CLASS))


def _choose(
    label_names: Sequence[str] | None,
    class_map: ClassMap | str | None,
    model_names: Sequence[Sequence[str]],
    suggested: str,
) -> tuple[ClassMap | None, list[str]]:
    if class_map == NO_MAP:
        return None, []
    if isinstance(class_map, str):
        class_map = load_class_map(class_map)  # without labels too: a name that nobody knows is never ignored
    if label_names is None:
        return None, []
    if class_map is not None:
        known = _known(label_names)
        strange = [name for name in class_map.classes if _key(name) not in known]
        notes = [f"class map {class_map.name} names what the labels do not have: {', '.join(strange)}"]
        return class_map, notes if strange else []
    if not suggested:
        return None, []
    offered = load_class_map(suggested)
    models = set.intersection(*(_known(names) for names in model_names)) if model_names else set()
    mapped = _known([target for name in label_names if (target := _mapped(name, offered)) is not None])
    if len(models & mapped) <= len(models & _known(label_names)):
        return None, []
    pairs = ", ".join(f"{name} → {target}" for name, target in offered.classes.items())
    return offered, [f"class map {offered.name} applied, because it fits the models better: {pairs}"]


def _mapped(name: str, class_map: ClassMap | None) -> str | None:
    if class_map is None:
        return name
    return next((target for label, target in class_map.classes.items() if _key(label) == _key(name)), None)


def _collect(spoken: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Keep the first spelling of each name, in order."""
    names: list[str] = []
    numbers: dict[str, int] = {}
    for name in spoken:
        if _key(name) not in numbers:
            numbers[_key(name)] = len(names)
            names.append(name)
    return names, numbers


def _wanted(requested: Sequence[str], names: Sequence[str], numbers: dict[str, int]) -> dict[str, None]:
    for name in requested:
        if _key(name) not in numbers:
            near = difflib.get_close_matches(_key(name), list(numbers), n=3, cutoff=0.5)
            known = ", ".join([names[numbers[key]] for key in near] or sorted(names)[:10])
            raise CallWrong(
                f"no model or label knows the class {name!r}; {'did you mean' if near else 'known'}: {known}"
            )
    return dict.fromkeys(_key(name) for name in requested)


def _nothing_in_common(label_names: Sequence[str], model_names: Sequence[Sequence[str]]) -> str:
    labels, models = ", ".join(label_names[:8]), " | ".join(", ".join(names[:8]) for names in model_names)
    return (
        f"the labels ({labels}) and the models ({models}) have no class in common; "
        "give a class map or other labels; a replay does without them with --truth none"
    )


def _known(names: Sequence[str]) -> set[str]:
    return {_key(name) for name in names}


def _flat(model_names: Sequence[Sequence[str]]) -> list[str]:
    return [name for names in model_names for name in names]


def _key(name: str) -> str:
    return name.strip().casefold()
