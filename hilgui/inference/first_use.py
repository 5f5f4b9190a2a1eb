"""A model file that was never used here is tried in a limited process first; what passed is remembered by its hash."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import platformdirs

from hilgui.inference.card import card_beside, read_card
from hilgui.inference.onnx_file import read_onnx
from hilgui.inference.preflight import Limits, try_model
from hilgui.inference.session import fingerprint
from hilgui.inference.trust import check_outside

log = logging.getLogger(__name__)


def try_before_first_use(path: Path) -> bool:
    """Try a model unless this very file has passed before; give whether it was tried now. Raises ModelBroken.

    Models with weights in other files are tried every time, as their hash says nothing about those.
    """
    sha256 = fingerprint(path)
    if _mark(sha256).exists():
        return False
    facts = read_onnx(path)
    check_outside(path, facts)
    outside = sum((path.parent / location).stat().st_size for location in facts.external)
    card_path = card_beside(path)
    asked = read_card(card_path).input if card_path is not None else None
    size = (asked.width or 640, asked.height or 640) if asked is not None else None
    try_model(path, size=size, limits=Limits.for_weights(path.stat().st_size + outside))
    if not facts.external:
        remember(sha256)
    return True


def remember(sha256: str) -> None:
    """Note that a file passed; a cache that cannot be written costs a second at the next start, nothing else."""
    mark = _mark(sha256)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n", encoding="utf-8")
    except OSError:
        log.info("the trial of a model is not remembered", exc_info=True)


def _mark(sha256: str) -> Path:
    return Path(platformdirs.user_cache_dir("hilgui", appauthor=False)) / "tried-models" / sha256
