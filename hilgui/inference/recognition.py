"""Finds the adapter of a model: named in its card, or the only one that recognises the signature."""

from __future__ import annotations

import logging
from pathlib import Path

from hilgui import plugins
from hilgui.errors import ModelBroken
from hilgui.inference.card import ModelCard
from hilgui.inference.protocol import Adapter, Recognised, Refusal, Signature

log = logging.getLogger(__name__)

GROUP = "hilgui.model_adapters"


def find_adapter(path: Path, signature: Signature, card: ModelCard | None) -> tuple[type[Adapter], Recognised]:
    """Give the adapter's class and what it read; raises ModelBroken saying what came close and what to try."""
    known: dict[str, type[Adapter]] = plugins.working(GROUP)
    if card is not None and card.adapter is not None:
        return _named(path, signature, card.adapter, known)
    looks = {name: _look(adapter, signature, named=False) for name, adapter in known.items()}
    fits = {name: look for name, look in looks.items() if isinstance(look, Recognised)}
    advice = f"name one in a card {path.with_suffix('.yaml').name} beside it (docs/models.md)"
    if len(fits) == 1:
        name, recognised = fits.popitem()
        return known[name], recognised
    if fits:
        raise ModelBroken(f"model {path} fits several adapters ({', '.join(fits)}); {advice}", path=path)
    close = [f"{name}: {look.why}" for name, look in looks.items() if isinstance(look, Refusal) and look.close]
    near = f"; close were {'; '.join(close)}" if close else ""
    raise ModelBroken(
        f"no adapter knows the tensors of model {path} ({signature}){near}. hilgui knows {', '.join(known)}: {advice}",
        path=path,
    )


def _named(
    path: Path, signature: Signature, name: str, known: dict[str, type[Adapter]]
) -> tuple[type[Adapter], Recognised]:
    if name not in known:
        plugin = plugins.load(GROUP).get(name)
        why = f" (it did not load: {plugin.reason})" if plugin else ""
        raise ModelBroken(
            f"the card of model {path} names the adapter {name!r}{why}; there are {', '.join(known)}", path=path
        )
    look = _look(known[name], signature, named=True)
    if isinstance(look, Refusal):
        raise ModelBroken(f"the card of model {path} names the adapter {name}, but {look.why}", path=path)
    return known[name], look


def _look(adapter: type[Adapter], signature: Signature, *, named: bool) -> Recognised | Refusal:
    try:
        return adapter.recognise(signature, named=named)
    except Exception as failure:  # a plug-in call: a stranger's code may raise anything
        log.warning("adapter %s fails to look at a model", adapter.name, exc_info=True)
        return Refusal(f"the adapter itself failed ({type(failure).__name__}: {failure})", close=True)
