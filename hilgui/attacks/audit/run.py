"""Runs the suite on a model, tests again what was found before, and stores findings with what reproduces them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hilgui import __version__
from hilgui.attacks.audit.finding import Audit, Finding, Kind, Status, read_audit, to_json
from hilgui.attacks.audit.probes import SUITE, Probe
from hilgui.attacks.audit.sight import Pair, Sight
from hilgui.attacks.audit.trials import TRIALS, Trial
from hilgui.attacks.drawing import drawn, jpeg
from hilgui.attacks.measure import wilson
from hilgui.durable import write_document
from hilgui.errors import CallWrong, StoreBroken
from hilgui.inference import Model
from hilgui.records import Task
from hilgui.robustness import Shown
from hilgui.sources import open_source

Pixels = NDArray[np.uint8]
Tell = Callable[[int, int], None]

AUDIT = "audit.json"
REPRODUCERS, PICTURES = "reproducers", "pictures"


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a probe gave, before it is compared with the audit before."""

    hits: int
    trials: int
    words: str
    pair: Pair | None
    not_run: str = ""


def chosen(suite: str) -> tuple[Probe | Trial, ...]:
    """Give the probes of "full", or of some classes ("A,E"), or single ones by id; raises CallWrong."""
    known: tuple[Probe | Trial, ...] = tuple(sorted((*SUITE, *TRIALS), key=lambda one: one.kind.value))
    if suite == "full":
        return known
    words = [word.strip() for word in suite.split(",") if word.strip()]
    letters = {kind.value[0] for kind in Kind}
    strange = [word for word in words if word.upper() not in letters and word not in {one.id for one in known}]
    if strange or not words:
        ids = ", ".join(one.id for one in known)
        raise CallWrong(f"there is no suite {suite!r}: say full, classes such as A,E, or probes: {ids}")
    return tuple(one for one in known if one.id in words or one.id[0] in [word.upper() for word in words])


def pictures_of(source: Path, count: int) -> list[Pixels]:
    """Take pictures of a recording, evenly spread; raises SourceBroken."""
    opened = open_source(source)
    try:
        seqs = np.linspace(0, max(len(opened.refs()) - 1, 0), count).round().astype(int)
        return [opened.frame_at(int(seq)).image for seq in sorted(set(seqs.tolist()))]
    finally:
        opened.close()


def audit(
    model: Model, images: Sequence[Pixels], folder: Path, *, suite: str, pictures: str, seed: int, tell: Tell
) -> Audit:
    """Run the suite, compare with the audit that lies in the folder, and store; raises HilguiError."""
    if model.facts.task not in (Task.DETECTION, Task.CLASSIFICATION):
        raise CallWrong(f"the audit looks at detectors and classifiers; {model.facts.name} answers {model.facts.task}")
    before = _stored(folder)
    sight, probes = Sight(model), chosen(suite)
    found = []
    for place, probe in enumerate(probes):
        seen = _probed(sight, probe, images, seed) if isinstance(probe, Probe) else _tried(sight, probe, images)
        found.append(_judged(sight, probe, seen, before.get(probe.id), folder))
        tell(place + 1, len(probes))
    known = {one.id for one in found}
    rest = tuple(
        replace(
            one, status=Status.OPEN if one.is_standing else one.status, retest="not in this suite, not tested again"
        )
        for name, one in before.items()
        if name not in known
    )
    made = Audit(
        model=model.facts.name,
        model_sha256=model.facts.sha256,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        pictures=pictures,
        suite=suite,
        findings=(*found, *rest),
        before=_before_sha(folder),
        seed=seed,
    )
    write_document(folder / AUDIT, to_json(made))
    return made


def folder_for(model: Model, root: Path) -> Path:
    """Name the folder of a model's audits by its name: its next version meets the findings of this one."""
    stem = re.sub(r"[^A-Za-z0-9_.]+", "-", model.facts.name).strip("-.")[:60] or "model"
    return root / stem


def _probed(sight: Sight, probe: Probe, images: Sequence[Pixels], seed: int) -> _Seen:
    hits = trials = 0
    worst: tuple[float, Pair | None] = (0.0, None)
    for place, image in enumerate(images):
        pair = probe.change(image, np.random.default_rng((seed, place)), sight)
        if pair is None:
            continue
        fallen, stake = sight.fallen(pair)
        hits, trials = hits + fallen, trials + stake
        if stake and fallen / stake > worst[0]:
            worst = fallen / stake, pair
    what = "pictures" if worst[1] is not None and worst[1].region is not None else "objects"
    return _Seen(
        hits,
        trials,
        f"{hits} of {trials} {what}",
        worst[1],
        "" if trials else "the model sees nothing in the clean pictures",
    )


def _tried(sight: Sight, trial: Trial, images: Sequence[Pixels]) -> _Seen:
    outcome = trial.run(sight, images)
    not_run = outcome.not_run or ("" if outcome.trials else "there was nothing to try it on")
    return _Seen(outcome.hits, outcome.trials, outcome.words, outcome.pair, not_run)


def _judged(sight: Sight, probe: Probe | Trial, seen: _Seen, old: Finding | None, folder: Path) -> Finding:
    interval = wilson(seen.hits, seen.trials)
    is_found = interval is not None and seen.hits > 0 and interval.low > probe.limit
    was_there = old is not None and (old.is_standing or old.status is Status.CLOSED or bool(old.reproducer))
    retest = _tested_again(sight, probe, old, folder) if old is not None and was_there else None
    is_known = old is not None and old.is_standing
    is_lost = is_known and retest is None and _is_retested(probe) and old is not None and bool(old.reproducer)
    if seen.not_run:
        status = Status.OPEN if is_known else Status.NOT_RUN
    elif is_found or retest is True or is_lost:  # what cannot be tested again is not closed
        status = Status.OPEN if is_known else Status.NEW
    else:
        status = Status.CLOSED if was_there else Status.PASSED
    is_kept = status in (Status.NEW, Status.OPEN)
    reproducer, picture = (old.reproducer, old.picture) if old is not None and was_there else ("", "")
    if is_kept and is_found and seen.pair is not None:
        reproducer, picture = _keep(seen.pair, folder), _picture(sight, probe.id, seen.pair, folder)
    told = {None: "", True: "the stored reproducer still works", False: "the stored reproducer does nothing any more"}
    return Finding(
        probe.id,
        probe.kind,
        probe.title,
        probe.severity,
        status,
        seen.hits,
        seen.trials,
        probe.limit,
        interval,
        seen.not_run or seen.words,
        probe.recommendation,
        reproducer,
        picture,
        "the stored reproducer is gone or damaged" if is_lost else told[retest],
    )


def _is_retested(probe: Probe | Trial) -> bool:
    """Say whether a pair of pictures makes it happen again; times and files have none."""
    return isinstance(probe, Probe) or probe.kind is Kind.PIXEL


def _tested_again(sight: Sight, probe: Probe | Trial, old: Finding, folder: Path) -> bool | None:
    """Say whether the stored reproducer still works; None where there is none, it is damaged, or about time."""
    if not old.reproducer or not _is_retested(probe):
        return None
    path = folder / REPRODUCERS / f"{old.reproducer}.npz"
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != old.reproducer:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            region = tuple(stored["region"].tolist()) if stored["region"].size else None
            pair = Pair(stored["clean"], stored["changed"], region)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    fallen, stake = sight.fallen(pair)
    return fallen / stake > probe.limit if stake else None


def _keep(pair: Pair, folder: Path) -> str:
    """Store what makes a finding happen again; gives its SHA-256."""
    buffer = io.BytesIO()
    region = np.array([] if pair.region is None else pair.region, np.float64)
    np.savez_compressed(buffer, clean=pair.clean, changed=pair.changed, region=region)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    write_document(folder / REPRODUCERS / f"{digest}.npz", content)
    return digest


def _picture(sight: Sight, name: str, pair: Pair, folder: Path) -> str:
    """Draw what the model sees, clean and changed, beside each other."""
    views = [drawn(image, _boxes(sight, image)) for image in (pair.clean, pair.changed)]
    gap = np.full((views[0].shape[0], 6, 3), 255, np.uint8)
    views[1] = views[1] if views[1].shape[0] == views[0].shape[0] else views[0]
    path = f"{PICTURES}/{name}.jpg"
    write_document(folder / path, jpeg(np.concatenate((views[0], gap, views[1]), axis=1)))
    return path


def _boxes(sight: Sight, image: Pixels) -> tuple[Shown, ...]:
    boxes = sight.boxes(image) if not sight.is_classifier else np.empty((0, 4))
    return tuple(Shown((x1, y1, x2, y2), "", "found") for x1, y1, x2, y2 in boxes.tolist())


def _stored(folder: Path) -> dict[str, Finding]:
    path = folder / AUDIT
    if not path.is_file():
        return {}
    try:
        return {one.id: one for one in read_audit(path.read_bytes()).findings}
    except (OSError, ValueError) as failure:
        raise StoreBroken(f"{path} cannot be read: {failure}; move it away to audit anew", path=path) from failure


def _before_sha(folder: Path) -> str:
    path = folder / AUDIT
    return read_audit(path.read_bytes()).model_sha256 if path.is_file() else ""


def kinds(findings: Sequence[Finding]) -> dict[Kind, list[Finding]]:
    """Group findings by their class."""
    return {kind: [one for one in findings if one.kind is kind] for kind in Kind}
