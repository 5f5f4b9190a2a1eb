"""Explanations in plain sentences, with their figures; what a figure cannot carry is said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilgui.evaluation.matching import MATCH_IOU
from hilgui.explanations.diagnosis import FAINT, Diagnosis, Reason
from hilgui.explanations.insertion import Ordered
from hilgui.explanations.lookalikes import Alike
from hilgui.explanations.looks import Looks, rarer
from hilgui.explanations.occlusion import Occlusion, Patch
from hilgui.explanations.rescue import Try
from hilgui.explanations.saliency import SIGNIFICANT, Saliency
from hilgui.explanations.target import Box, Target
from hilgui.records import Role

_FEW = 8  # found objects below which a share says little
_RARE = 0.1


def diagnosis_words(found: Diagnosis, target: Target, role: Role) -> str:
    """Say in one sentence why."""
    label, limit = target.label, target.threshold
    score = f"{found.score:.{2 if f'{found.score:.2f}' != f'{limit:.2f}' else 3}f}"
    match found.reason:
        case Reason.SHOWN:
            return f"Asked alone, the {role.value} shows this {label}: score {score}, threshold {limit:.2f}."
        case Reason.SCORE:
            return (
                f"Missed because of the score: the {role.value} has a box that fits, but its score of {score} is below "
                f"the threshold of {limit:.2f}."
            )
        case Reason.LOCALISATION:
            return (
                f"Missed because of its place: the {role.value} shows a {label} with score {score}, but the box fits "
                f"by IoU {found.iou:.2f} and {MATCH_IOU} is asked."
            )
        case Reason.CLASS if target.is_missed:
            return (
                f"Missed because of its class: the {role.value} takes this {label} for a {found.other} (score "
                f"{found.other_score:.2f}; {label}: {score})."
            )
        case Reason.NOTHING:
            return f"Missed outright: the {role.value} has no box here above a score of {FAINT}, of any class."
        case Reason.GONE:
            return f"Asked alone, the {role.value} does not show this {label}: score {score}, threshold {limit:.2f}."
        case Reason.TWICE:
            return f"A second box (score {score}) on a labelled {label} that another box of the {role.value} has taken."
        case Reason.CLASS:
            return f"A labelled {found.other} that the {role.value} takes for a {label} (score {score})."
        case Reason.LABELLED:
            return (
                f"The box (score {score}) lies at a labelled {found.other} but fits by IoU {found.iou:.2f} only: a "
                "part of it, or a box around more than it."
            )
        case _:
            return f"The labels have nothing here; the {role.value} is sure by {score}, its threshold is {limit:.2f}."


def saliency_words(
    found: Saliency,
    orders: Sequence[Ordered],
    on_object: float,
    share: float,
    peak: tuple[float, float],
    target: Target,
) -> tuple[tuple[str, ...], bool]:
    """Say where the answer rests and how far the map can be trusted; and whether it beats chance both ways."""
    mine, chance = orders[0], orders[1:]
    is_better = all(mine.deletion < one.deletion and mine.insertion > one.insertion for one in chance)
    if not found.has_signal:
        return (
            (
                f"Saliency means nothing here: shuffled answers give as high a peak in {found.helps_p:.0%} of cases. "
                f"Behind masks the model says {found.masked:.3f} on average (whole picture {found.clean:.3f}); there "
                "is nothing to attribute, or more masks are needed.",
            ),
            is_better,
        )
    where = (
        f"The {target.label} itself carries the answer"
        if on_object >= 0.5
        else f"The answer rests on {_where(peak, target.box)}"
    )
    sentences = [
        f"{where}: {on_object:.0%} of what is above chance lies on the object, which is {share:.1%} of the picture "
        f"(p {_p(found.helps_p)}; both halves of the masks agree by {found.agreement:.2f})."
    ]
    if found.hurts_p <= SIGNIFICANT:
        sentences.append("Cold places hurt: the model is surer of it where they are hidden.")
    low = float(np.mean([one.deletion for one in chance]))
    high = float(np.mean([one.insertion for one in chance]))
    verdict = "better than every map of chance" if is_better else "not better than every map of chance: mistrust it"
    sentences.append(
        f"Deleting in the order of the map leaves {mine.deletion:.3f} ({low:.3f} by chance), inserting gives "
        f"{mine.insertion:.3f} ({high:.3f}): {verdict}."
    )
    return tuple(sentences), is_better


def occlusion_words(found: Occlusion, target: Target) -> tuple[str, ...]:
    """Say which patch matters most."""
    worst, best, noise = found.worst, found.best, found.noise
    sentences = []
    if -worst.change > noise:
        sentences.append(
            f"Hiding {_patch(worst, target)} costs most: IoU × score falls from {found.clean:.3f} to "
            f"{found.clean + worst.change:.3f}."
        )
    if best.change > noise:
        sentences.append(
            f"Hiding {_patch(best, target)} helps it: IoU × score rises from {found.clean:.3f} to "
            f"{found.clean + best.change:.3f}."
        )
    if not sentences:
        return (f"Occlusion means nothing here: no patch changes more than one far away does ({noise:.3f}).",)
    sentences.append(f"Patches far away change it by at most {noise:.3f}.")
    return tuple(sentences)


def alike_words(
    target: Target, looks: Looks | None, nearest: Sequence[Alike], all_found: Sequence[Looks]
) -> tuple[str, ...]:
    """Say what sets the object apart from those that were found."""
    if looks is None:
        return ("The object is too small to be compared with others.",)
    if not nearest:
        return (f"No {target.label} that this model found has a picture at hand: there is nothing to compare with.",)
    sentences = []
    if len(all_found) >= _FEW:
        told = []
        for name, low, high in (
            ("brightness", "darker", "brighter"),
            ("stands_out", "standing out less", "standing out more"),
            ("spread", "flatter", "richer in contrast"),
            ("sharpness", "more blurred", "sharper"),
            ("height_px", "smaller", "larger"),
        ):
            values = [getattr(one, name) for one in all_found]
            below = rarer(getattr(looks, name), values)
            if below <= _RARE:
                told.append(f"{low} than {1 - below:.0%}")
            elif below >= 1 - _RARE:
                told.append(f"{high} than {below:.0%}")
        whose = f"of the {len(all_found)} found at like places"
        sentences.append(
            f"It is {', '.join(told)} {whose}."
            if told
            else f"In brightness, contrast, sharpness and size it is like the {len(all_found)} found at like places."
        )
    else:
        sentences.append(f"Only {len(all_found)} found at like places: too few to say what is rare about it.")
    return tuple(sentences)


def rescue_words(tries: Sequence[Try], target: Target, is_shown: bool) -> tuple[str, ...]:
    """Say which small change would have saved it."""
    what = "found" if target.is_missed else "gone"
    if is_shown:
        return (f"Nothing to search: asked alone, the model has the {target.label} right.",)
    helped = [one for one in tries if one.severity is not None]
    if not helped:
        return (
            f"None of {len(tries)} changes (brightness, exposure, contrast, sharpness, blur, size, place) up to their "
            f"hardest makes it {what}.",
        )
    best = helped[0]
    assert best.severity is not None
    sentences = [
        f"Would have saved it: {best.change.name} ({best.change.words(best.severity)}, {best.severity:.0%} of what is "
        f"tried) makes it {what}, score {best.score:.2f}; {elsewhere(best)}."
    ]
    others = [
        f"{one.change.name} ({one.change.words(one.severity)})" for one in helped[1:4] if one.severity is not None
    ]
    if others:
        sentences.append(f"Also: {', '.join(others)}.")
    sentences.append(
        f"{len(helped)} of {len(tries)} changes help. Each is made to the whole picture; between the steps that are "
        "tried it may be otherwise."
    )
    return tuple(sentences)


def elsewhere(one: Try) -> str:
    """Say what a change does to the rest of the picture."""
    if not one.lost and not one.gained:
        return "nothing else in the picture is lost or gained"
    parts = [f"{one.lost} other object{'s' if one.lost > 1 else ''} lost"] if one.lost else []
    parts += [f"{one.gained} phantom{'s' if one.gained > 1 else ''} more"] if one.gained else []
    return f"elsewhere {' and '.join(parts)}"


def _p(value: float) -> str:
    return "< 0.01" if value < 0.01 else f"{value:.2f}"


def _patch(patch: Patch, target: Target) -> str:
    x, y = (patch.box[0] + patch.box[2]) / 2, (patch.box[1] + patch.box[3]) / 2
    size = f"{patch.box[2] - patch.box[0]:.0f}×{patch.box[3] - patch.box[1]:.0f} px"
    place = _where((x, y), target.box).removeprefix("what is ")
    return f"{size}, {place},"


def _where(at: tuple[float, float], box: Box) -> str:
    """Say in words where a place is, seen from the object."""
    across, down = (at[0] - box[0]) / (box[2] - box[0]), (at[1] - box[1]) / (box[3] - box[1])
    if -0.1 <= across <= 1.1 and -0.1 <= down <= 1.1:
        part = "upper" if down < 1 / 3 else "lower" if down > 2 / 3 else "middle"
        return f"the {part} part of it"
    sides = []
    if down < -0.1:
        sides.append("above")
    elif down > 1.1:
        sides.append("below")
    if across < -0.1:
        sides.append("left of")
    elif across > 1.1:
        sides.append("right of")
    away = max(-across, across - 1, 0) * (box[2] - box[0]), max(-down, down - 1, 0) * (box[3] - box[1])
    return f"what is {max(away):.0f} px {' and '.join(sides)} it"
