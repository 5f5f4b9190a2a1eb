"""Asks everything about one finding: the question as people put it, the order of work, and what is kept of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui import __version__
from hilgui.errors import CallWrong
from hilgui.explanations import drawing, insertion, lookalikes, occlusion, rescue, saliency, shelf, words
from hilgui.explanations.changes import CHANGES
from hilgui.explanations.diagnosis import Reason, diagnosed
from hilgui.explanations.document import (
    AlikePart,
    AlikesPart,
    Explanation,
    OcclusionPart,
    RescuePart,
    SaliencyPart,
    TryPart,
)
from hilgui.explanations.eyes import Eyes
from hilgui.explanations.looks import differences
from hilgui.explanations.scene import Pictures, Scene, open_model, read_scene
from hilgui.explanations.target import Box, Image
from hilgui.records import Role
from hilgui.store import RunReader

DRISE, OCCLUSION, LOOKALIKES, RESCUE = "drise", "occlusion", "lookalikes", "rescue"
METHODS = (DRISE, OCCLUSION, LOOKALIKES, RESCUE)
FEWEST_MASKS, MOST_MASKS = 50, 20_000
_DRAWN_TRIES = 3  # changes whose picture is kept

Tell = Callable[[int, int], None]  # pictures looked at, in all


@dataclass(frozen=True, slots=True)
class Wish:
    """What to explain, and how."""

    run: Path
    finding: int
    role: Role | None = None  # None: the model that the finding is about
    methods: tuple[str, ...] = METHODS
    masks: int = 500
    seed: int = 0
    among: tuple[Path, ...] = ()  # further runs whose found objects may look alike
    provider: str = "auto"


@dataclass(frozen=True, slots=True)
class AskExplanation:
    """A wish as a piece of work for a process beside the screen; gives the folder and what is in it."""

    wish: Wish
    home: Path

    def __call__(self, kept: dict[str, Any], tell: Tell) -> tuple[Path, Explanation]:
        """Explain; raises HilguiError."""
        return explain(self.wish, self.home, tell)


def explain(wish: Wish, home: Path, tell: Tell, out: Path | None = None) -> tuple[Path, Explanation]:
    """Explain a finding and keep it, beside the run or in `out`; gives the folder and the explanation.

    What was explained before by the same model stays, except for the methods that are asked for. Nothing is kept of a
    call that was broken off. Raises CallWrong, SourceBroken, ModelBroken, StoreBroken.
    """
    _refuse_strange(wish)
    with ExitStack() as stack:
        reader = stack.enter_context(closing(RunReader(wish.run)))
        scene = read_scene(reader, wish.finding, wish.role)
        pictures = stack.enter_context(closing(Pictures(reader)))
        image = pictures.must(scene.finding.worst_seq)
        sources = [(reader, pictures)]
        for folder in wish.among if LOOKALIKES in wish.methods else ():
            other = stack.enter_context(closing(RunReader(folder)))
            sources.append((other, stack.enter_context(closing(Pictures(other)))))
        model, table = open_model(scene, wish.provider)
        stack.callback(model.close)
        eyes = stack.enter_context(closing(Eyes(model, table)))
        return _Work(wish, scene, image, sources, eyes, tell).run(home, out)


def _refuse_strange(wish: Wish) -> None:
    strange = [method for method in wish.methods if method not in METHODS]
    if strange or not wish.methods:
        named = repr(strange[0]) if strange else "none"
        raise CallWrong(f"there is no method {named}; there are {', '.join(METHODS)} and all")
    if not FEWEST_MASKS <= wish.masks <= MOST_MASKS:
        raise CallWrong(f"{wish.masks} masks: {FEWEST_MASKS} to {MOST_MASKS:,} are possible, 500 is usual")


class _Work:
    """One explanation under way; one thread, beside those of the eyes."""

    def __init__(
        self,
        wish: Wish,
        scene: Scene,
        image: Image,
        sources: Sequence[tuple[RunReader, Pictures]],
        eyes: Eyes,
        tell: Tell,
    ) -> None:
        self._wish = wish
        self._scene = scene
        self._target = scene.target
        self._image = image
        self._sources = list(sources)
        self._eyes = eyes
        self._tell = tell
        self._drawn: dict[str, Image] = {}
        self._done = 0
        self._total = sum(self._looks(method) for method in wish.methods)
        self._window = drawing.window_of(scene.target.box, image.shape[1], image.shape[0])

    def run(self, home: Path, out: Path | None) -> tuple[Path, Explanation]:
        """Ask everything, then write pictures and document."""
        self._step(0)
        base = self._base()
        parts: dict[str, Any] = {}
        seconds: dict[str, float] = {}
        planned = 0
        works: dict[str, tuple[str, Callable[[], object]]] = {
            DRISE: ("saliency", self._saliency),
            OCCLUSION: ("occlusion", self._occlusion),
            LOOKALIKES: ("alikes", self._alikes),
            RESCUE: ("rescue", lambda: self._rescue(base.reason in (Reason.SHOWN, Reason.GONE))),
        }
        for method, (field, work) in works.items():
            if method in self._wish.methods:
                started = time.perf_counter()
                parts[field] = work()
                seconds[method] = round(time.perf_counter() - started, 2)
                planned += self._looks(method)
                self._step(planned - self._done)  # what was not needed counts as done
        made = replace(base, **parts, seconds=seconds)
        folder = out if out is not None else shelf.folder_for(self._scene.folder, home)
        folder.mkdir(parents=True, exist_ok=True)
        before = shelf.stored(self._scene.folder, home, made.finding, made.role) if out is None else None
        if before is not None and before[0] == folder:
            made = _with_kept(made, before[1])
        for name, image in self._drawn.items():
            shelf.write_picture(folder, name, image)
        shelf.write(folder, made)
        return folder, made

    def _base(self) -> Explanation:
        scene, target = self._scene, self._target
        facts = scene.header.models[scene.role]
        found = diagnosed(self._eyes.look(self._image), scene.moment.truth, target, scene.header.vocabulary)
        problem = self._sources[0][1].problem
        notes = (f"from the JPEG that the run kept, not the recording ({problem})",) if problem else ()
        return Explanation(
            run_id=scene.header.run_id,
            finding=scene.finding.number,
            kind=scene.finding.kind,
            role=scene.role,
            model=facts.name,
            sha256=facts.sha256,
            label=target.label,
            box=target.box,
            seq=scene.finding.worst_seq,
            is_missed=target.is_missed,
            threshold=target.threshold,
            seed=self._wish.seed,
            version=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sentence=words.diagnosis_words(found, target, scene.role),
            reason=found.reason,
            score=found.score,
            iou=found.iou,
            picture=self._draw("object", self._marked(self._image, target.box)),
            notes=notes,
        )

    def _saliency(self) -> SaliencyPart:
        height, width = self._image.shape[:2]
        target = self._target
        found = saliency.saliency(self._eyes, self._image, target, self._wish.masks, self._wish.seed, self._step)
        orders = insertion.check(self._eyes, self._image, target, (found.heat, *found.shuffled), self._step)
        on_object, share = saliency.share_within(found, target.box, width, height)
        peak = saliency.peak(found.heat, width, height)
        sentences, is_better = words.saliency_words(found, orders, on_object, share, peak, target)
        shown = drawing.heated(self._image, found.heat, found.level)
        chance = orders[1:]
        return SaliencyPart(
            masks=self._wish.masks,
            grid=found.grid,
            similarity=found.clean,
            masked=found.masked,
            p=found.helps_p,
            p_hurts=found.hurts_p,
            agreement=found.agreement,
            on_object=on_object,
            object_share=share,
            peak=peak,
            deletion=orders[0].deletion,
            deletion_chance=sum(one.deletion for one in chance) / len(chance),
            insertion=orders[0].insertion,
            insertion_chance=sum(one.insertion for one in chance) / len(chance),
            has_signal=found.has_signal,
            is_better=is_better,
            sentences=sentences,
            picture=self._draw("saliency", self._marked(shown, target.box)),
            whole=self._draw("saliency-whole", self._whole(shown)),
        )

    def _occlusion(self) -> OcclusionPart:
        height, width = self._image.shape[:2]
        found = occlusion.occlusion(self._eyes, self._image, self._target, self._wish.seed, self._step)
        heat = occlusion.heat_of(found, width, height)
        fall, rise = max(-found.worst.change, 0.0), max(found.best.change, 0.0)
        shown = drawing.heated(self._image, heat, min(found.noise, float(abs(heat).max()) * 0.5))
        return OcclusionPart(
            patches=len(found.patches),
            similarity=found.clean,
            largest_fall=fall,
            largest_rise=rise,
            noise=found.noise,
            has_signal=max(fall, rise) > found.noise,
            sentences=words.occlusion_words(found, self._target),
            picture=self._draw("occlusion", self._marked(shown, self._target.box)),
        )

    def _alikes(self) -> AlikesPart:
        looks, nearest, measured = lookalikes.look_alikes(self._scene, self._image, self._sources, self._step)
        parts = []
        track = self._scene.finding.objects[0].track
        for place, one in enumerate(nearest, 1):
            is_here = one.run_id == self._scene.header.run_id
            parts.append(
                AlikePart(
                    run_id=one.run_id,
                    seq=one.seq,
                    time_s=None if math.isnan(one.time_s) else one.time_s,
                    score=one.score,
                    unlike=one.unlike,
                    is_same=is_here and self._target.is_missed and track >= 0 and one.track == track,
                    differs=() if looks is None else differences(looks, one.looks),
                    picture=self._draw(f"alike-{place}", drawing.plain(one.image, one.box)),
                )
            )
        return AlikesPart(
            measured=len(measured),
            nearest=tuple(parts),
            sentences=words.alike_words(self._target, looks, nearest, measured),
            picture=self._draw("alike-0", drawing.plain(self._image, self._target.box)),
        )

    def _rescue(self, is_right: bool) -> RescuePart:
        """Search, unless the model has it right when asked alone."""
        if is_right:
            self._step(self._looks(RESCUE))
            return RescuePart((), words.rescue_words((), self._target, True))
        scene = self._scene
        tries = rescue.rescue(
            self._eyes,
            self._image,
            self._target,
            scene.moment.truth,
            scene.header.vocabulary.judged,
            self._step,
        )
        parts: list[TryPart] = []
        for one in tries:
            picture = ""
            if one.image is not None and sum(bool(part.picture) for part in parts) < _DRAWN_TRIES:
                _, placing = one.change.do(self._image, self._target.box, one.severity or 0.0)
                shown = self._marked(one.image, placing.box(self._target.box))
                picture = self._draw(f"rescue-{one.change.name.replace(' ', '-')}", shown)
            parts.append(
                TryPart(
                    name=one.change.name,
                    severity=one.severity,
                    words="" if one.severity is None else one.change.words(one.severity),
                    score=one.score,
                    holds_to=one.holds_to,
                    lost=one.lost,
                    gained=one.gained,
                    picture=picture,
                )
            )
        return RescuePart(tuple(parts), words.rescue_words(tries, self._target, False))

    def _looks(self, method: str) -> int:
        height, width = self._image.shape[:2]
        return {
            DRISE: self._wish.masks + insertion.looks_needed(5),
            OCCLUSION: occlusion.looks_needed(self._target, width, height),
            LOOKALIKES: lookalikes.MEASURED * len(self._sources),
            RESCUE: rescue.LOOKS * len(CHANGES),
        }[method]

    def _step(self, looks: int) -> None:
        self._done = min(self._done + looks, self._total)
        self._tell(self._done, self._total)

    def _marked(self, image: Image, box: Box) -> Image:
        return drawing.marked(image, self._window, box, self._target)

    def _whole(self, image: Image) -> Image:
        height, width = image.shape[:2]
        whole = (0.0, 0.0, float(width), float(height))
        return drawing.marked(image, whole, self._target.box, self._target, (width, height))

    def _draw(self, name: str, image: Image) -> str:
        file = f"{self._scene.finding.number:04d}-{self._scene.role.value}-{name}.png"
        self._drawn[file] = image
        return file


def _with_kept(made: Explanation, before: Explanation) -> Explanation:
    """Keep the parts of before that were not asked for again, where they are about the same."""
    if (made.sha256, made.seq, made.box) != (before.sha256, before.seq, before.box):
        return made
    return replace(
        made,
        saliency=made.saliency or before.saliency,
        occlusion=made.occlusion or before.occlusion,
        alikes=made.alikes or before.alikes,
        rescue=made.rescue or before.rescue,
        seconds={**(before.seconds or {}), **(made.seconds or {})},
    )
