"""Plays the clips of a bundle again through the hashed models: do the same findings come back?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import BenchBroken, CallWrong, EvidenceBroken
from hilgui.evidence.cases import picture_name
from hilgui.evidence.chain import strict_json
from hilgui.evidence.stored_zip import Container
from hilgui.inference.session import fingerprint
from hilgui.pipeline.plan import RunPlan
from hilgui.pipeline.preparation import prepare
from hilgui.pipeline.run import Run, Watchers
from hilgui.records import Role
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
    if not case["frames"] or not case["fps"]:
        return Replayed(name, kind, None, "the finding has no clip")
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
            return _compare(name, case, reader)
    except (BenchBroken, CallWrong) as failure:
        return Replayed(name, kind, None, f"the clip cannot be played: {failure}")


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


def _compare(name: str, case: Mapping[str, Any], reader: RunReader) -> Replayed:
    wanted = case["finding"]
    kind = str(wanted["kind"])
    first_s = min(case["frames"])
    found = [
        one for one in reader.findings() if one.kind.value == kind and str(one.role or "") == (wanted["role"] or "")
    ]
    frames = sorted(case["frames"])
    for one in found:
        span = (frames[one.first_seq], frames[min(one.last_seq, len(frames) - 1)])
        overlaps = span[0] <= wanted["last_seq"] and span[1] >= wanted["first_seq"]
        if overlaps and _same_object(wanted["objects"], [each.box for each in one.objects], kind):
            return Replayed(name, kind, True, f"came back at frames {span[0]} to {span[1]}: {one.why}")
    others = ", ".join(sorted({one.kind.value for one in reader.findings()})) or "nothing"
    return Replayed(name, kind, False, f"did not come back from frame {first_s} on; found {others}")


def _same_object(wanted: list[dict[str, Any]], found: list[tuple[float, float, float, float]], kind: str) -> bool:
    """Say whether one of the objects is where it was; findings about the whole frame have none."""
    if not wanted or not found:
        return not wanted and not found
    return any(_iou(tuple(one["box"]), box) >= _SAME_IOU for one in wanted for box in found) or kind in (
        "jitter",
        "gap",
    )


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0
