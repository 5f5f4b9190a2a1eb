"""Plays the clips of a bundle again through the hashed models: do the same findings come back?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.cornercases.boxes import Box, overlap
from hilgui.errors import BenchBroken, CallWrong, EvidenceBroken
from hilgui.evidence.cases import picture_name
from hilgui.evidence.chain import strict_json
from hilgui.evidence.stored_zip import Container
from hilgui.inference.session import fingerprint
from hilgui.pipeline.plan import RunPlan
from hilgui.pipeline.preparation import prepare
from hilgui.pipeline.run import Run, Watchers
from hilgui.pipeline.trail import Trail
from hilgui.records import Finding, Kind, Role
from hilgui.settings import Settings
from hilgui.store import RunReader

FindModel = Callable[[str, str], Path | None]
"""Gives the ONNX file of a role with a hash, None where it is nowhere."""

_NEEDS_MORE_THAN_A_CLIP = {
    "deadline_miss": "latency belongs to the machine, not to the clip",
    "drift": "drift needs the drive before the clip",
    "time_fault": "the stamps of the sensor are not in a clip",
    "frozen_frame": "pictures that were coded again differ a little",
}
_CASE = re.compile(r"(cases/[0-9]{3,}-[a-z_]+)/case\.json")
_SAME_IOU = 0.5
_OF_LABELS = frozenset(
    {
        Kind.MISSED_CRITICAL,
        Kind.MISSED_OBJECT,
        Kind.IDENTITY_SWITCH,
        Kind.JITTER,
        Kind.LATE_DETECTION,
        Kind.GAP,
        Kind.POOR_LOCALISATION,
    }
)
"""What is about a labelled object, whose identity a clip keeps."""
_LARGEST = 1 << 28  # bytes of a clip


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one case; `came_back` is None where it cannot be told from the clip."""

    case: str
    kind: str
    came_back: bool | None
    why: str

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"case": self.case, "kind": self.kind, "came_back": self.came_back, "why": self.why}


def replay_cases(
    bundle: Path, find_model: FindModel, scratch: Path, told: Callable[[int, int], None] = lambda _done, _total: None
) -> list[Replayed]:
    """Play every case of a verified bundle, on the CPU; raises EvidenceBroken where a model was swapped.

    The clip is the JPEG pictures of the bundle, so a finding at the very edge of a limit may stay away; that is said.
    """
    container = Container(bundle)
    try:
        names = sorted(found[1] for name in container.entries if (found := _CASE.fullmatch(name)))
        replayed = []
        for number, name in enumerate(names, 1):
            folder = scratch / f"case-{number:03d}"
            folder.mkdir()
            replayed.append(_replay(container, name, find_model, folder))
            told(number, len(names))
        return replayed
    finally:
        container.close()


def _replay(container: Container, name: str, find_model: FindModel, folder: Path) -> Replayed:
    case = strict_json(container.read(f"{name}/case.json"))
    finding = case["finding"]
    kind = str(finding["kind"])
    if kind in _NEEDS_MORE_THAN_A_CLIP:
        return Replayed(name, kind, None, _NEEDS_MORE_THAN_A_CLIP[kind])
    if not case["frames"]:
        return Replayed(name, kind, None, f"no picture of the clip is in the bundle{_noted(finding)}")
    if not case["fps"]:
        return Replayed(name, kind, None, "the pictures are of an unordered set: there is no clip to play")
    lacking = [seq for seq in case["frames"] if picture_name(str(case["run_id"]), seq) not in container.entries]
    if lacking:
        return Replayed(name, kind, None, f"{len(lacking)} pictures that the case lists are not in the bundle")
    models: dict[Role, Path] = {}
    for role, facts in case["models"].items():
        path = find_model(role, str(facts["sha256"]))
        if path is None:
            return Replayed(name, kind, None, f"the {role} model {facts['sha256'][:12]} is not on this machine")
        digest = fingerprint(path)
        if digest != facts["sha256"]:
            raise EvidenceBroken(
                f"the {role} model was swapped: {path} has sha256 {digest[:12]}, {name} was seen by "
                f"{facts['sha256'][:12]}",
                path=path,
            )
        models[Role(role)] = path
    try:
        plan = _plan(container, name, case, models, folder)
        with closing(_run(plan)) as reader:
            return _compare(name, case, _trail(container, name), reader)
    except (BenchBroken, CallWrong) as failure:
        return Replayed(name, kind, None, f"the clip cannot be played: {failure}")


def _noted(finding: Mapping[str, Any]) -> str:
    return f" ({finding['clip_note']})" if finding.get("clip_note") else ""


def _trail(container: Container, name: str) -> Trail:
    """Read where the models and the labels saw objects in the frames of a case."""
    boxes: dict[int, list[Box]] = {}
    for row in (strict_json(line) for line in container.read(f"{name}/truth.jsonl").splitlines()):
        boxes.setdefault(int(row["seq"]), []).extend(tuple(one["box"]) for one in row["objects"])
    for row in (strict_json(line) for line in container.read(f"{name}/predictions.jsonl").splitlines()):
        seen = [one["box"] for role in Role for one in row.get(role.value, ())]
        boxes.setdefault(int(row["seq"]), []).extend(tuple(box) for box in seen)
    return Trail(boxes)


def _plan(container: Container, name: str, case: Mapping[str, Any], models: dict[Role, Path], folder: Path) -> RunPlan:
    pictures = folder / "clip"
    pictures.mkdir()
    files = {int(seq): picture_name(str(case["run_id"]), int(seq)) for seq in case["frames"]}
    if sum(container.entries[file].size for file in files.values() if file in container.entries) > _LARGEST:
        raise CallWrong(f"the clip of {name} is larger than {_LARGEST >> 20} MiB")
    for seq, file in files.items():
        (pictures / f"{seq:08d}.jpg").write_bytes(container.read(file))
    truth = folder / "truth.coco.json"
    has_truth = _write_truth(container, name, case, truth)
    stored = {key: value for key, value in case["settings"].items() if key in ("corner_cases", "clips")}
    settings = Settings.model_validate({**stored, "home": folder / "home", "disk_reserve_mb": 0})
    judged = tuple(str(case["classes"][number]) for number in case["judged"])
    out = folder / "runs"
    out.mkdir()
    return RunPlan(
        source=pictures,
        baseline=models[Role.BASELINE],
        candidate=models.get(Role.CANDIDATE),
        out=out,
        settings=settings,
        truth=truth if has_truth else None,
        provider="cpu",
        classes=judged if has_truth else (),
        fps=float(case["fps"]),
    )


def _write_truth(container: Container, name: str, case: Mapping[str, Any], place: Path) -> bool:
    rows = [strict_json(line) for line in container.read(f"{name}/truth.jsonl").splitlines()]
    width, height = case["size"] or (0, 0)
    known = set(case["frames"])
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for row in rows:
        if row["seq"] not in known:
            continue
        images.append({"id": row["seq"], "file_name": f"{int(row['seq']):08d}.jpg", "width": width, "height": height})
        for one in row["objects"]:
            x1, y1, x2, y2 = one["box"]
            told = {
                "id": len(annotations) + 1, "image_id": row["seq"], "category_id": one["class"],
                "bbox": [x1, y1, x2 - x1, y2 - y1], "area": one["area"], "iscrowd": int(one["crowd"]),
                "ignore": int(one["ignore"]),
            }  # fmt: skip
            if one["track"] >= 0:
                told["track_id"] = one["track"]
            if one["distance_m"] is not None:
                told["distance_m"] = one["distance_m"]
            annotations.append(told)
    categories = [{"id": number, "name": str(label)} for number, label in enumerate(case["classes"])]
    place.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return bool(images)


def _run(plan: RunPlan) -> RunReader:
    prepared = prepare(plan)
    try:
        run = Run(prepared, Watchers(progress=lambda _: None, frame=lambda _f, _m: None))
        run.execute()
    finally:
        prepared.close()
    return RunReader(run.folder)


def _compare(name: str, case: Mapping[str, Any], trail: Trail, reader: RunReader) -> Replayed:
    wanted = case["finding"]
    kind = str(wanted["kind"])
    frames = sorted(case["frames"])
    found = list(reader.findings())
    for one in found:
        if one.kind.value != kind or str(one.role or "") != (wanted["role"] or ""):
            continue
        span = (frames[one.first_seq], frames[min(one.last_seq, len(frames) - 1)])
        overlaps = span[0] <= wanted["last_seq"] and span[1] >= wanted["first_seq"]
        if overlaps and _same_object(wanted, one, frames[min(one.worst_seq, len(frames) - 1)], trail):
            return Replayed(name, kind, True, f"came back at frames {span[0]} to {span[1]}: {one.why}")
    gone = case["span"][1] - case["span"][0] + 1 - len(frames)
    if gone > 0 and not wanted.get("channel"):
        told = f"{gone} of {gone + len(frames)} pictures of the clip were not kept{_noted(wanted)}"
        return Replayed(name, kind, None, f"did not come back, and cannot be told: {told}")
    others = ", ".join(sorted({one.kind.value for one in found})) or "nothing"
    return Replayed(name, kind, False, f"did not come back in frames {frames[0]} to {frames[-1]}; found {others}")


def _same_object(wanted: Mapping[str, Any], found: Finding, worst: int, trail: Trail) -> bool:
    """Say whether one of the objects is the one that was meant; findings about the whole frame have none.

    A label keeps its identity in a clip. Anything else is followed from the worst frame of before to the worst one of
    now (`worst`): the two need not be the same, and what moves is somewhere else by then.
    """
    objects: list[dict[str, Any]] = wanted["objects"]
    if not objects or not found.objects:
        return not objects and not found.objects
    if found.kind in _OF_LABELS and all(one["track"] >= 0 for one in objects):
        return not {one["track"] for one in objects}.isdisjoint(each.track for each in found.objects)
    there = [trail.follow(tuple(one["box"]), int(wanted["worst_seq"]), worst) for one in objects]
    return any(overlap(box, each.box) >= _SAME_IOU for box in there for each in found.objects)
