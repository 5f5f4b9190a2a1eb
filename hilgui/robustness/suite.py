"""A suite of corruptions: every corruption at every severity, one condition after the other, stored as it grows."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hilgui import __version__
from hilgui.corruptions import COMMON, REVISION, STREAM, Recipe
from hilgui.durable import write_document
from hilgui.errors import CallWrong
from hilgui.evaluation.clusters import FEWEST
from hilgui.numerals import number_of
from hilgui.records import Judgement, Role
from hilgui.robustness.drives import Drives, Labelled
from hilgui.robustness.looking import Image, Look, Looker
from hilgui.robustness.quality import CLEAN, Draws, Key, Meter, headlines, interval_of
from hilgui.robustness.question import MEASURES, Question, family_of
from hilgui.robustness.result import CORRUPTIONS, Cell, Example, Result, Subject, Tipping
from hilgui.robustness.shelf import DOCUMENT, read_result, write_picture, write_result
from hilgui.robustness.tipping import TOLERANCE, search
from hilgui.sources.depth_maps import DepthMaps

_EXAMPLES = 2  # of each field of the heat map and model
_SEARCHED = 16  # frames with critical objects that a search looks at
_STEPS = 8  # frames' worth of progress that one search is counted as, times the frames it looks at
_DRAWS = "draws.npz"
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88]

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The question as a piece of work for a process beside the screen; gives the folder of the result."""

    question: Question
    root: Path
    folder: Path | None = None

    def __call__(self, kept: dict[str, Any], tell: Tell) -> Path:
        """Measure, or go on where it was cancelled; raises HilguiError."""
        return measure(self.question, self.root, tell, folder=self.folder)


def measure(
    question: Question,
    root: Path,
    tell: Tell,
    *,
    folder: Path | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    is_anew: bool = False,
) -> Path:
    """Answer a question; gives the folder of the result, below `root` or `folder` itself.

    The same question goes on where it was cancelled, and is answered from the store once it is whole; `is_anew`
    forgets what is stored. Raises HilguiError, and Stopped where `is_stopped` says so.
    """
    with closing(Drives(question.plans, question.frames)) as drives:
        suite = _Suite(question, drives, root, folder, tell)
        if is_anew:
            suite.forget()
        with closing(Looker(drives, is_stopped, question.depth)) as looker:
            suite.run(looker)
        return suite.folder


class _Suite:
    """What is known so far; one thread."""

    def __init__(self, question: Question, drives: Drives, root: Path, folder: Path | None, tell: Tell) -> None:
        self._question = question
        self._drives = drives
        self._tell = tell
        self._clusters = drives.clusters()
        empty = self._empty()
        self.folder = root / empty.id if folder is None else folder
        self._result = self._known(empty)
        self._draws = self._known_draws()
        self._clean: dict[int, Look] = {}
        critical = [one for one in drives.labelled if one.critical.any()]
        places = np.linspace(0, len(critical) - 1, min(_SEARCHED, len(critical))).round().astype(int)
        self._critical = [critical[place] for place in sorted(set(places.tolist()))]
        self._done = 0

    def forget(self) -> None:
        """Begin anew."""
        self._result, self._draws = replace(self._empty(), id=self.folder.name), {}

    def run(self, looker: Looker) -> None:
        """Measure what is missing."""
        if self._result.is_whole:
            return
        self._result = replace(self._result, notes=self._notes())
        self._measure_clean(looker)
        for row, column in self._conditions():
            if any(self._result.cell(row, column, role) is None for role in self._roles):
                self._measure_cell(looker, row, column)
            self._progress(len(self._drives.labelled))
        for row in self._searched():
            for role in self._roles:
                if not any((one.row, one.role) == (row, role) for one in self._result.tippings):
                    self._search(looker, row, role)
                self._progress(_STEPS * len(self._critical))
        self._result = replace(self._result, is_whole=True)
        self._store()

    @property
    def _roles(self) -> tuple[Role, ...]:
        return tuple(self._drives.models)

    def _conditions(self) -> Iterator[tuple[str, str]]:
        return ((row, column) for row in self._question.corruptions for column in self._question.columns)

    def _searched(self) -> list[str]:
        """Name the corruptions that are searched: of the pictures, not of the stream, whose loss is no question."""
        if not self._question.is_searched or not self._critical:
            return []
        return [row for row in self._question.corruptions if row not in STREAM]

    def _progress(self, frames: int) -> None:
        self._done += frames
        total = (1 + len(self._question.corruptions) * len(self._question.severities)) * len(self._drives.labelled)
        total += len(self._searched()) * len(self._roles) * _STEPS * len(self._critical)
        self._tell(min(self._done, total), total)

    # -- conditions ---------------------------------------------------------------------------------------------------

    def _measure_clean(self, looker: Looker) -> None:
        meter = Meter(self._drives, self._clusters, self._question.measure)
        for look in looker.look(None):
            self._clean[id(look.labelled)] = replace(look, image=np.empty((0, 0, 3), np.uint8))
            meter.add(look)
        self._progress(len(self._drives.labelled))
        for role in self._roles:
            self._put(CLEAN, "", role, meter, ())
        self._store()

    def _measure_cell(self, looker: Looker, row: str, column: str) -> None:
        meter = Meter(self._drives, self._clusters, self._question.measure)
        worst: dict[Role, list[tuple[float, Look]]] = {role: [] for role in self._roles}
        for look in looker.look(Recipe(((row, float(column)),), self._question.seed)):
            meter.add(look)
            for role in self._roles:
                _keep_worst(worst[role], look, self._clean[id(look.labelled)], role)
        for role in self._roles:
            examples = tuple(self._example(f"{row}-{column}", look, role) for _, look in worst[role])
            self._put(row, column, role, meter, examples)
        self._store()

    def _put(self, row: str, column: str, role: Role, meter: Meter, examples: tuple[Example, ...]) -> None:
        quality = meter.read(role)
        self._draws[row, column, role] = quality.draws
        interval = interval_of(quality.draws, self._clusters)
        cell = Cell(row, column, role, quality.value, interval, quality.truths, quality.by_class, examples)
        others = (one for one in self._result.cells if (one.row, one.column, one.role) != (row, column, role))
        self._result = replace(self._result, cells=(*others, cell))

    # -- search -------------------------------------------------------------------------------------------------------

    def _search(self, looker: Looker, row: str, role: Role) -> None:
        frames = [one for one in self._critical if self._at_stake(one, role).any()]
        if not frames:
            words = "no critical object is found on clean frames, so none can be lost"
            self._result = replace(self._result, tippings=(*self._result.tippings, Tipping(row, role, None, words)))
            return

        def lost(severity: float) -> tuple[Look, int] | None:
            recipe = Recipe(((row, severity),), self._question.seed)
            for look in looker.look(recipe, frames, (role,)):
                rows = np.flatnonzero(look.lost(self._clean[id(look.labelled)], role) & look.labelled.critical)
                if len(rows):
                    frames.remove(look.labelled)  # whoever fell first is asked first
                    frames.insert(0, look.labelled)
                    return look, int(rows[0])
            return None

        found = search(lost)
        at_stake = sum(int(self._at_stake(one, role).sum()) for one in frames)
        if found.severity is None or found.loss is None:
            words = f"all {at_stake} critical objects are found up to severity 5"
            tipping = Tipping(row, role, None, words, found.is_monotone, len(found.tried) - 1)
        else:
            look, place = found.loss
            label = self._drives.vocabulary.name(int(look.labelled.truth.classes[place]))
            words = (
                f"{label} in frame {look.labelled.ref.seq} of {self._name(look.labelled)}, one of {at_stake} critical"
            )
            if not found.is_monotone:
                words += "; not monotone: at some harder severities all are found"
            example = self._example(f"{row}-{found.severity:.6f}", look, role)
            severity, count = round(found.severity, 3), len(found.tried) - 1
            tipping = Tipping(row, role, severity, words, found.is_monotone, count, (example,))
        self._result = replace(self._result, tippings=(*self._result.tippings, tipping))
        self._store()

    def _at_stake(self, labelled: Labelled, role: Role) -> Any:
        found = self._clean[id(labelled)].comparisons[role].truths == Judgement.MATCHED
        return labelled.critical & found

    # -- pictures -----------------------------------------------------------------------------------------------------

    def _example(self, name: str, look: Look, role: Role) -> Example:
        labelled, name_of = look.labelled, self._drives.vocabulary.name
        clean = self._clean[id(labelled)]
        stem = f"{labelled.drive}-{labelled.ref.seq:06d}"
        pictures = (
            (f"clean-{stem}.jpg", lambda: self._drives.sources[labelled.drive].frame_at(labelled.ref.seq).image),
            (f"{name}-{stem}.jpg", lambda: look.image),
        )
        paths = [self._picture(file, image) for file, image in pictures]
        lost, kept = int(look.lost(clean, role).sum()), clean.comparisons[role].matched
        new = max(0, look.phantoms(role) - clean.phantoms(role))
        words = f"{lost} of {kept} found objects lost" + (f", {new} more phantoms" if new else "")
        return Example(
            self._name(labelled),
            labelled.ref.seq,
            words,
            paths[0],
            paths[1],
            clean.shown(role, name_of),
            look.shown(role, name_of),
        )

    def _picture(self, name: str, image: Callable[[], Image]) -> str:
        path = self.folder / "pictures" / name
        if path.is_file():
            return f"pictures/{name}"
        _, data = cv2.imencode(".jpg", image(), _JPEG)
        return write_picture(self.folder, name, data.tobytes())

    def _name(self, labelled: Labelled) -> str:
        return self._result.drives[labelled.drive].name

    # -- document -----------------------------------------------------------------------------------------------------

    def _empty(self) -> Result:
        question, drives = self._question, self._drives
        models = tuple(
            Subject(role, model.facts.name, model.facts.path, model.facts.sha256, model.facts.runs_on)
            for role, model in drives.models.items()
        )
        facts = drives.facts()
        asked = {
            "corruptions": list(question.corruptions),
            "severities": list(question.severities),
            "seed": question.seed,
            "frames": question.frames,
            "measure": question.measure,
            "is_searched": question.is_searched,
            "classes": sorted(drives.vocabulary.name(number) for number in drives.judged),
            "thresholds": {role.value: model.threshold for role, model in drives.models.items()},
            "models": {one.role.value: one.sha256 for one in models},
            "drives": [[one.sha256, one.truth, one.frames] for one in facts],
            "revision": REVISION,
            **({} if question.depth is None else {"depth": DepthMaps(question.depth).sha256}),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        }
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        name = facts[0].name if len(facts) == 1 else f"{len(facts)}-drives"
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem).strip("-")[:40] or "drive"
        return Result(
            kind=CORRUPTIONS,
            id=f"{CORRUPTIONS}-{stem}-{digest[:10]}",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            title=" · ".join((", ".join(one.name for one in facts), " / ".join(one.name for one in models))),
            question=asked,
            command=question.command,
            models=models,
            drives=facts,
            measure=MEASURES[question.measure],
            rows=question.corruptions,
            columns=question.columns,
            families={row: family_of(row) for row in question.corruptions},
        )

    def _known(self, empty: Result) -> Result:
        """Take up what is stored under the same question; raises CallWrong where the folder holds another."""
        empty = replace(empty, id=self.folder.name)
        if not (self.folder / DOCUMENT).is_file():
            return empty
        stored = read_result(self.folder)
        if stored.question == empty.question:
            return stored
        changed = sorted(
            key for key in {*stored.question, *empty.question} if stored.question.get(key) != empty.question.get(key)
        )
        raise CallWrong(
            f"{self.folder} holds the answer to another question (other {', '.join(changed)}); choose another folder"
        )

    def _known_draws(self) -> dict[Key, Draws]:
        """Read the resamples of what is stored; a condition without them is measured again."""
        path = self.folder / _DRAWS
        draws: dict[Key, Draws] = {}
        try:
            with np.load(path, allow_pickle=False) as stored:
                for name in stored.files:
                    row, column, role = name.split("|")
                    draws[row, column, Role(role)] = stored[name]
        except (OSError, ValueError, zipfile.BadZipFile):
            draws = {}
        if not self._result.is_whole:
            kept = tuple(one for one in self._result.cells if (one.row, one.column, one.role) in draws)
            self._result = replace(self._result, cells=kept)
        return draws

    def _store(self) -> None:
        path = self.folder / _DRAWS
        named = {f"{row}|{column}|{role.value}": values for (row, column, role), values in self._draws.items()}
        buffer = io.BytesIO()
        np.savez(buffer, **named)  # type: ignore[arg-type]  # numpy's stub takes them for its own options
        write_document(path, buffer.getvalue())
        values = {(one.row, one.column, one.role): one.value for one in self._result.cells}
        told = headlines(
            values, self._draws, self._question.corruptions, self._question.columns, self._roles, self._clusters
        )
        self._result = replace(self._result, headlines=told)
        write_result(self.folder, self._result)

    def _notes(self) -> tuple[str, ...]:
        question, clusters = self._question, self._clusters
        notes = [*self._drives.notes]
        frames = len(self._drives.labelled)
        notes.append(
            f"{frames} labelled frames, intervals over {len(clusters)} × {clusters.unit}"
            if len(clusters) >= FEWEST
            else f"{frames} labelled frames are {len(clusters)} × {clusters.unit}: intervals need {FEWEST} at least"
        )
        common = set(question.corruptions) == set(COMMON) and question.columns == ("1", "2", "3", "4", "5")
        if not common:
            notes.append(
                "mPC and rPC are over the corruptions and severities that were chosen, not the published 15 × 5"
            )
        if question.is_searched and not self._critical:
            notes.append("no object is critical in these frames, so none was searched for")
        if question.is_searched and self._critical:
            notes.append(
                f"searched on {number_of(len(self._critical), 'frame')} with critical objects, to {TOLERANCE:g} of a "
                "severity; what lies between two probes stays unseen"
            )
        return tuple(dict.fromkeys(notes))


def _keep_worst(worst: list[tuple[float, Look]], look: Look, clean: Look, role: Role) -> None:
    """Keep the frames that lost most; a new phantom counts half."""
    harm = float(look.lost(clean, role).sum()) + max(0, look.phantoms(role) - clean.phantoms(role)) / 2
    if harm > 0:
        worst.append((harm, look))
        worst.sort(key=lambda each: -each[0])
        del worst[_EXAMPLES:]
