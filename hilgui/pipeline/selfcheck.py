"""The daily self-check: does the bench answer today as it did when somebody said it was good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from hilgui.durable import append_line, write_document
from hilgui.errors import BenchBroken, HilguiError, StoreBroken
from hilgui.models.golden import Golden
from hilgui.models.golden import differences as golden_differences
from hilgui.pipeline.golden import replay_golden
from hilgui.resources import shipped
from hilgui.rigs.readout import Readout, rig_readouts, simulated_readouts
from hilgui.rigs.readout import differences as device_differences

FRAMES = 40  # of the clip, from its beginning
VALID_FOR = timedelta(hours=24)
FOLDER = "selfcheck"
_CLIP, _MODEL, _SHIPPED = "assets/demo/day.mp4", "assets/demo/baseline.onnx", "assets/demo/selfcheck.json"
_LAST, _HISTORY = "last.json", "checks.jsonl"

Fitness = Literal["fit", "unfit", "unknown"]  # unknown: something was never measured before


@dataclass(frozen=True, slots=True)
class Measured:
    """What the bench answered."""

    golden: Golden
    devices: tuple[Readout, ...]

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"golden": self.golden.as_json(), "devices": [device.as_json() for device in self.devices]}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Measured:
        """Read what `as_json` gave; raises AttributeError, KeyError, TypeError or ValueError on anything else."""
        devices = tuple(Readout.from_json(device) for device in plain["devices"])
        return cls(Golden.from_json(plain["golden"]), devices)


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was compared."""

    what: str
    verdict: Fitness
    sentence: str


@dataclass(frozen=True, slots=True)
class Selfcheck:
    """The result of one check."""

    utc: str
    verdict: Fitness
    rig: str  # the profile, "" for the simulators
    looks: tuple[Look, ...]


def measure(rig: Path | None, home: Path, tell: Callable[[str], None] = lambda what: None) -> Measured:
    """Replay the golden clip, ask the devices; raises HilguiError where the bench cannot be asked."""
    tell(f"golden clip, {FRAMES} frames")
    try:
        clip, model = shipped(_CLIP), shipped(_MODEL)
    except FileNotFoundError as failure:
        raise BenchBroken(str(failure)) from failure
    golden = replay_golden(model, clip, frames=FRAMES)
    tell("simulators" if rig is None else f"rig {rig}, questions only")
    devices = simulated_readouts() if rig is None else rig_readouts(rig, home)
    return Measured(golden, tuple(devices))


def compare(reference: Measured | None, found: Measured, rig: str, now: datetime) -> Selfcheck:
    """Compare with the reference: counts first, then values within the noise floor."""
    golden = None if reference is None else golden_differences(reference.golden, found.golden)
    looks = [_look("golden clip", golden, f"{found.golden.frames} frames, {found.golden.detections} detections")]
    known = {} if reference is None else {device.device: device for device in reference.devices}
    for device in found.devices:
        expected = known.pop(device.device, None)
        if device.trouble:
            said: Sequence[str] | None = (device.trouble,)
        else:
            said = None if expected is None else device_differences(expected, device)
        looks.append(_look(device.device, said, f"{device.identity}, {len(device.readings)} channels"))
    looks += [Look(name, "unfit", "it is in the reference and not here") for name in known]
    verdicts = {look.verdict for look in looks}
    verdict: Fitness = "unfit" if "unfit" in verdicts else "unknown" if "unknown" in verdicts else "fit"
    return Selfcheck(now.isoformat(timespec="seconds"), verdict, rig, tuple(looks))


def cannot_be_asked(failure: HilguiError, rig: str, now: datetime) -> Selfcheck:
    """Give the result of a check that broke off: what an earlier one found is not known to be true any more."""
    look = Look("bench", "unfit", f"it cannot be asked: {failure}")
    return Selfcheck(now.isoformat(timespec="seconds"), "unfit", rig, (look,))


def read_reference(home: Path, rig: str) -> Measured | None:
    """Read the reference of this bench, else the shipped one of the simulators; None where there is none.

    Raises StoreBroken for one that cannot be read.
    """
    path = _reference_path(home, rig)
    if not path.is_file():
        if rig:
            return None
        try:
            path = shipped(_SHIPPED)
        except FileNotFoundError:
            return None
    try:
        return Measured.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
        sentence = f"the self-check's reference {path} cannot be read ({failure}); renew it with --renew"
        raise StoreBroken(sentence, path=path) from failure


def write_reference(home: Path, rig: str, found: Measured) -> Path:
    """Make what was found today the reference; raises StoreBroken."""
    path = _reference_path(home, rig)
    write_document(path, (json.dumps(found.as_json(), indent=1) + "\n").encode())
    return path


def remember(home: Path, check: Selfcheck) -> None:
    """Store the result, for the headers of the next 24 hours and for the history; raises StoreBroken."""
    text = json.dumps(asdict(check), ensure_ascii=False)
    write_document(home / FOLDER / _LAST, text.encode())
    append_line(home / FOLDER / _HISTORY, text)


def recent_check(home: Path, now: datetime) -> dict[str, Any]:
    """Give time, verdict and what of the last check, for a run's header; empty where it is older than 24 hours."""
    try:
        last = json.loads((home / FOLDER / _LAST).read_text(encoding="utf-8"))
        age = now - datetime.fromisoformat(last["utc"])
        looks = [f"{look['what']}: {look['verdict']}, {look['sentence']}" for look in last["looks"]]
        told = {"utc": str(last["utc"]), "verdict": str(last["verdict"]), "rig": str(last["rig"]), "what": looks}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return told if timedelta(0) <= age <= VALID_FOR else {}


def utc_now() -> datetime:
    """Give the time of a check."""
    return datetime.now(UTC)


def _look(what: str, said: Sequence[str] | None, usual: str) -> Look:
    if said is None:
        return Look(what, "unknown", f"{usual}; not in the reference, look at it and --renew")
    return Look(what, "unfit", "; ".join(said)) if said else Look(what, "fit", usual)


def _reference_path(home: Path, rig: str) -> Path:
    if not rig:
        return home / FOLDER / "reference.json"
    profile = Path(rig).resolve()  # two benches may both have a rig.yaml
    return home / FOLDER / f"reference-{profile.stem}-{hashlib.sha256(str(profile).encode()).hexdigest()[:8]}.json"
