"""Finds the adapter of a model: named in its card, or the only one that recognises the signature."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hilgui import plugins
from hilgui.errors import ModelBroken
from hilgui.inference.card import ModelCard
from hilgui.inference.protocol import Adapter, Parameters, Recognised, Refusal, Signature

log = logging.getLogger(__name__)

GROUP = "hilgui.model_adapters"


@dataclass(frozen=True, slots=True)
class Found:
    """The adapter of a model, what it read from the signature, and what the card says to it."""

    adapter: type[Adapter]
    recognised: Recognised
    parameters: Parameters


def find_adapter(path: Path, signature: Signature, card: ModelCard | None) -> Found:
    """Give the adapter that fits; raises ModelBroken saying what came close and what to try."""
    known: dict[str, type[Adapter]] = plugins.working(GROUP)
    if card is not None and card.adapter is not None:
        return _named(path, signature, card, known)
    looks = look_all(signature)
    fits = {name: look for name, look in looks.items() if isinstance(look, Recognised)}
    advice = f"name one in a card {path.with_suffix('.yaml').name} beside it (docs/models.md)"
    if len(fits) == 1:
        name, recognised = fits.popitem()
        return Found(known[name], recognised, known[name].parameters())
    if fits:
        raise ModelBroken(f"model {path} fits several adapters ({', '.join(fits)}); {advice}", path=path)
    close = [f"{name}: {look.why}" for name, look in looks.items() if isinstance(look, Refusal) and look.close]
    near = f"; close were {'; '.join(close)}" if close else ""
    raise ModelBroken(
        f"no adapter knows the tensors of model {path} ({signature}){near}. hilgui knows {', '.join(known)}: {advice}",
        path=path,
    )


def look_all(signature: Signature) -> dict[str, Recognised | Refusal]:
    """Ask every adapter, none of them named by a card."""
    known: dict[str, type[Adapter]] = plugins.working(GROUP)
    return {name: _look(adapter, signature, named=False) for name, adapter in known.items()}


def _named(path: Path, signature: Signature, card: ModelCard, known: dict[str, type[Adapter]]) -> Found:
    name = card.adapter or ""
    if name not in known:
        plugin = plugins.load(GROUP).get(name)
        why = f" (it did not load: {plugin.reason})" if plugin else ""
        raise ModelBroken(
            f"the card of model {path} names the adapter {name!r}{why}; there are {', '.join(known)}", path=path
        )
    try:
        parameters = known[name].parameters.model_validate(card.parameters)
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        there = ", ".join(known[name].parameters.model_fields) or "none"
        raise ModelBroken(
            f"the card of model {path}: parameters.{key}: {first['msg']}; adapter {name} takes {there}", path=path
        ) from failure
    look = _look(known[name], signature, named=True, parameters=parameters)
    if isinstance(look, Refusal):
        raise ModelBroken(f"the card of model {path} names the adapter {name}, but {look.why}", path=path)
    return Found(known[name], look, parameters)


def _look(
    adapter: type[Adapter], signature: Signature, *, named: bool, parameters: Parameters | None = None
) -> Recognised | Refusal:
    try:
        return adapter.recognise(signature, named=named, parameters=parameters or adapter.parameters())
    except Exception as failure:  # a plug-in call: a stranger's code may raise anything
        log.warning("adapter %s fails to look at a model", adapter.name, exc_info=True)
        return Refusal(f"the adapter itself failed ({type(failure).__name__}: {failure})", close=True)
