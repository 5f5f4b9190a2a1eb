"""Everything that can be told about a model file before it is used: what it holds, how it would be run and read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import HilguiError, ModelBroken
from hilgui.inference.card import ModelCard, card_beside, read_card
from hilgui.inference.device import gpu_name
from hilgui.inference.first_use import remember
from hilgui.inference.model import class_names
from hilgui.inference.onnx_file import OnnxFacts, precision_of, read_onnx
from hilgui.inference.preflight import Limits, Trial, try_model
from hilgui.inference.protocol import Recognised, Refusal, Tensor
from hilgui.inference.providers import present
from hilgui.inference.recognition import find_adapter, look_all
from hilgui.inference.session import fingerprint
from hilgui.inference.trust import check_outside, suspicious

_LONGEST_VALUE = 300


@dataclass(frozen=True, slots=True)
class Inspection:
    """One model file. Where it cannot be used `broken` says why, and what comes after it in the work is missing."""

    path: Path
    size: int  # bytes
    sha256: str
    facts: OnnxFacts
    suspicious: tuple[str, ...]
    trials: dict[str, Trial | str]  # provider → what it did, or why it did not
    adapter: str  # "" where none fits
    reasons: dict[str, str]  # adapter → why not, those that came close first
    recognised: Recognised | None
    card: str
    broken: str = ""
    is_named: bool = False  # the card names the adapter

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "path": str(self.path),
            "size": self.size,
            "sha256": self.sha256,
            "broken": self.broken,
            "ir_version": self.facts.ir_version,
            "producer": self.facts.producer,
            "opsets": self.facts.opsets,
            "operators": dict(self.facts.operators.most_common()),
            "precision": precision_of(self.facts),
            "parameters": self.facts.parameters,
            "constants": self.facts.constants,
            "external": sorted(self.facts.external),
            "metadata": {key: value[:_LONGEST_VALUE] for key, value in self.facts.metadata.items()},
            "suspicious": list(self.suspicious),
            "inputs": [_plain(each) for each in self._signed("inputs")],
            "outputs": [_plain(each) for each in self._signed("outputs")],
            "card": self.card,
            "adapter": self.adapter,
            "task": self.recognised.task.value if self.recognised else None,
            "preprocess": asdict(self.recognised.preprocess) if self.recognised else None,
            "not_adapters": self.reasons,
            "providers": {
                name: {"refused": trial} if isinstance(trial, str) else _trial(trial)
                for name, trial in self.trials.items()
            },
        }

    def _signed(self, side: str) -> tuple[Tensor, ...]:
        for trial in self.trials.values():
            if isinstance(trial, Trial):
                found: tuple[Tensor, ...] = getattr(trial.signature, side)
                return found
        return ()


def inspect_model(path: Path, *, card: Path | None = None, limits: Limits | None = None) -> Inspection:
    """Read, try in a process of its own, and ask every adapter; raises ModelBroken where it is no ONNX file at all."""
    sha256 = fingerprint(path)
    facts = read_onnx(path)
    card_path = card or card_beside(path)
    trials: dict[str, Trial | str] = {}
    adapter, reasons, recognised, broken = "", dict[str, str](), None, ""
    given: ModelCard | None = None
    try:
        given = None if card_path is None else read_card(card_path)
        check_outside(path, facts)
        size = (given.input.width or 640, given.input.height or 640) if given else None
        trial = try_model(path, size=size, limits=limits)
        trials["cpu"] = trial
        if not facts.external:
            remember(sha256)  # within the limits that the operator gave, so a replay takes it too
        for provider in _worth_trying():
            trials[provider] = _try_or_say(path, provider, size, limits)
        adapter, recognised, reasons = _recognise(path, trial, given)
        if recognised is not None and given is not None and given.classes:
            class_names(path, given, recognised)
    except ModelBroken as failure:
        broken = str(failure)
    return Inspection(
        path=path,
        size=path.stat().st_size,
        sha256=sha256,
        facts=facts,
        suspicious=suspicious(facts),
        trials=trials,
        adapter=adapter,
        reasons=reasons,
        recognised=recognised,
        card="" if card_path is None else str(card_path),
        broken=broken,
        is_named=given is not None and given.adapter is not None,
    )


def _worth_trying() -> list[str]:
    """Name the providers besides the CPU that are here with their hardware; TensorRT only builds when asked for."""
    return [name for name in present() if name not in ("cpu", "tensorrt") and (name != "cuda" or gpu_name())]


def _recognise(path: Path, trial: Trial, card: ModelCard | None) -> tuple[str, Recognised | None, dict[str, str]]:
    looks = look_all(trial.signature)
    refused = sorted(
        ((name, look) for name, look in looks.items() if isinstance(look, Refusal)), key=lambda each: not each[1].close
    )
    reasons = {name: look.why for name, look in refused}
    try:
        found = find_adapter(path, trial.signature, card)
    except ModelBroken as failure:
        return "", None, {"": str(failure), **reasons} if card is not None and card.adapter else reasons
    reasons.pop(found.adapter.name, None)
    return found.adapter.name, found.recognised, reasons


def _try_or_say(path: Path, provider: str, size: tuple[int, int] | None, limits: Limits | None) -> Trial | str:
    try:
        return try_model(path, provider=provider, size=size, limits=limits)
    except HilguiError as failure:
        return str(failure)


def _plain(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype}


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "providers": list(trial.providers),
        "load_ms": trial.load_ms,
        "run_ms": trial.run_ms,
        "memory_mb": trial.memory_mb,
        "output_shapes": {name: list(shape) for name, shape in trial.shapes.items()},
        "nodes": trial.nodes,
        "share_of_time": trial.share,
        "attestation": asdict(trial.attestation),
        "runs_on": trial.attestation.in_short(trial.providers[0]),
    }
