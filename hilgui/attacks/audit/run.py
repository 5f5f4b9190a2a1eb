"""Runs the suite on a model, tests again what was found before, and stores findings with what reproduces them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hilgui import __version__
from hilgui.attacks.audit.experiments import EXPERIMENTS
from hilgui.attacks.audit.finding import Audit, Finding, Kind, Status, read_audit, to_json
from hilgui.attacks.audit.probe import Probe, Seen
from hilgui.attacks.audit.probes import CHANGED
from hilgui.attacks.audit.sight import Pair, Sight
from hilgui.attacks.drawing import drawn, jpeg
from hilgui.attacks.measure import wilson
from hilgui.durable import write_document
from hilgui.errors import CallWrong, StoreBroken
from hilgui.evaluation import Interval
from hilgui.inference import Model
from hilgui.records import Task
from hilgui.robustness import Shown
from hilgui.sources import open_source

Pixels = NDArray[np.uint8]
Tell = Callable[[int, int], None]

AUDIT = "audit.json"
OF_A_CLASSIFIER = "of a classifier a trial is a picture, and it works where the answer changes"
REPRODUCERS, PICTURES = "reproducers", "pictures"


def chosen(suite: str) -> tuple[Probe, ...]:
    """Give the probes of "full", or of some classes ("A,E"), or single ones by id; raises CallWrong."""
    known: tuple[Probe, ...] = tuple(sorted((*CHANGED, *EXPERIMENTS), key=lambda one: one.kind.value))
    if suite == "full":
        return known
    words = [word.strip() for word in suite.split(",") if word.strip()]
    letters = {kind.value[0] for kind in Kind}
    strange = [word for word in words if word.upper() not in letters and word not in {one.id for one in known}]
    if strange or not words:
        ids = ", ".join(one.id for one in known)
        raise CallWrong(f"there is no suite {suite!r}: say full, classes such as A,E, or probes: {ids}")
    return tuple(one for one in known if one.id in words or one.id[0] in [word.upper() for word in words])


def frames_of(source: Path, count: int) -> dict[int, Pixels]:
    """Take pictures of a recording, evenly spread, by the numbers of their frames; raises SourceBroken."""
    opened = open_source(source)
    try:
        seqs = np.linspace(0, max(len(opened.refs()) - 1, 0), count).round().astype(int)
        return {seq: opened.frame_at(seq).image for seq in sorted(set(seqs.tolist()))}
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
        seen = probe.run(sight, images, seed)
        if not (seen.trials or seen.not_run):
            seen = replace(seen, not_run="there was nothing to try it on")
        found.append(_judged(sight, probe, seen, before.get(probe.id), folder))
        tell(place + 1, len(probes))
    known = {one.id for one in found}
    sha256_before = _before_sha(folder)
    is_same = sha256_before == model.facts.sha256
    rest = tuple(_left_out(one, is_same=is_same) for name, one in before.items() if name not in known)
    made = Audit(
        model=model.facts.name,
        model_sha256=model.facts.sha256,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        pictures=pictures,
        suite=suite,
        findings=(*found, *rest),
        before=sha256_before,
        notes=(OF_A_CLASSIFIER,) if sight.is_classifier else (),
        seed=seed,
    )
    write_document(folder / AUDIT, to_json(made))
    return made


def _left_out(old: Finding, *, is_same: bool) -> Finding:
    """Keep what this suite did not look at: what stood stands; a pass of another model is none of this."""
    status = Status.OPEN if old.is_standing else old.status if is_same else Status.NOT_RUN
    return replace(old, status=status, retest="not in this suite, not tested again")


def folder_for(model: Model, root: Path) -> Path:
    """Name the folder of a model's audits by its name: its next version meets the findings of this one."""
    stem = re.sub(r"[^A-Za-z0-9_.]+", "-", model.facts.name).strip("-.")[:60] or "model"
    return root / stem


def _judged(sight: Sight, probe: Probe, seen: Seen, old: Finding | None, folder: Path) -> Finding:
    interval = wilson(seen.hits, seen.trials)
    is_found = interval is not None and seen.hits > 0 and interval.low > probe.limit
    was_there = old is not None and (old.is_standing or old.status is Status.CLOSED or bool(old.reproducer))
    retest = _tested_again(sight, probe, old, folder) if old is not None and was_there else None
    is_known = old is not None and old.is_standing
    is_lost = is_known and retest is None and probe.is_retested and old is not None and bool(old.reproducer)
    if seen.not_run:
        status = Status.OPEN if is_known else Status.NOT_RUN
    elif is_found or retest is True or is_lost:  # what cannot be tested again is not closed
        status = Status.OPEN if is_known else Status.NEW
    elif not _is_below(seen, interval, probe.limit):
        status = Status.OPEN if is_known else Status.UNCLEAR
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


def _is_below(seen: Seen, interval: Interval | None, limit: float) -> bool:
    """Say whether the rate is shown to lie below the limit; where that is nothing, all that can be tried has failed."""
    return not seen.hits if limit == 0 else interval is not None and interval.high <= limit


def _tested_again(sight: Sight, probe: Probe, old: Finding, folder: Path) -> bool | None:
    """Say whether the stored reproducer still works; None where there is none, it is damaged, or about time."""
    if not old.reproducer or not probe.is_retested:
        return None
    pair = reproduced(folder, old.reproducer)
    if pair is None:
        return None
    fallen, stake = sight.fallen(pair)
    return fallen / stake > probe.limit if stake else None


def reproduced(folder: Path, sha256: str) -> Pair | None:
    """Read what makes a finding happen again; None where it is gone or damaged."""
    try:
        content = (folder / REPRODUCERS / f"{sha256}.npz").read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            region = tuple(stored["region"].tolist()) if stored["region"].size else None
            return Pair(stored["clean"], stored["changed"], region)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


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
