"""What a model file may refer to, and what in it deserves a second look. Asked before a session is made."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from hilgui.errors import ModelBroken
from hilgui.inference.onnx_file import OnnxFacts

_KNOWN_DOMAINS = {
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
}
_CONTROL = ("If", "Loop", "Scan", "SequenceMap")
_BY_DATA = ("ConstantOfShape", "Expand", "Tile", "Range")  # make tensors whose size is a value
_SETTINGS = ("ort_config", "session_options", "execution_provider", "custom_op", "library")
_LARGE = 64 << 20  # numbers in one weight
_CONTEXT = "com.microsoft.EPContext"  # names a compiled engine in another file


def check_outside(path: Path, facts: OnnxFacts) -> None:
    """Refuse weights that are not plain files within the model's folder; raises ModelBroken.

    Neither `..`, absolute paths, symbolic links nor hard links: the last two may show any file of the machine under a
    harmless name. Models from a cache that links its files are to be copied first.
    """
    if _CONTEXT in facts.operators:
        raise ModelBroken(
            f"model {path} holds an engine compiled for one device (EPContext); get the model it was compiled from",
            path=path,
        )
    for location in sorted(facts.external):
        why = _trouble(path.parent, location)
        if why:
            raise ModelBroken(
                f"model {path} keeps weights in {location[:200]!r}, {why}; copy all files of the model into one folder",
                path=path,
            )


def suspicious(facts: OnnxFacts) -> tuple[str, ...]:
    """Say in words what a careful person would look at; none of it is wrong by itself."""
    found: list[str] = []
    if facts.external:
        found.append(f"weights in {len(facts.external)} other files: {_listed(facts.external)}")
    strange = facts.domains - _KNOWN_DOMAINS
    if strange:
        found.append(f"operators of domains that onnxruntime does not have: {_listed(strange)}")
    control = [name for name in _CONTROL if facts.operators[name]]
    if control:
        found.append(f"control flow, so the time depends on the picture or has no end: {', '.join(control)}")
    growing = [name for name in _BY_DATA if facts.operators[name]]
    if growing and facts.parameters + facts.constants < 1000:
        found.append(f"next to no weights, but operators that make tensors of any size: {', '.join(growing)}")
    if facts.functions:
        found.append(f"{facts.functions} functions of its own")
    if facts.has_training:
        found.append("instructions for training")
    large = [f"{name or 'unnamed'} ({count:,} numbers)" for count, name in facts.largest if count > _LARGE]
    if large:
        found.append(f"huge constants: {_listed(large)}")
    settings = [key for key in facts.metadata if any(word in key.lower() for word in _SETTINGS)]
    if settings:
        found.append(f"metadata that look like settings (not applied): {_listed(settings)}")
    return tuple(found)


def _trouble(folder: Path, location: str) -> str:
    if not location or "\x00" in location:
        return "which is no file name"
    for pure in (PurePosixPath(location), PureWindowsPath(location)):
        if pure.is_absolute() or pure.drive or pure.root:
            return "an absolute path"
        if ".." in pure.parts:
            return "outside its folder"
    place = folder
    for part in PurePosixPath(location).parts:
        place = place / part
        if place.is_symlink():
            return "reached by a link"
    try:
        what = place.stat()
    except OSError:
        return "which cannot be read"
    if not stat.S_ISREG(what.st_mode):
        return "which is not a file"
    return "a file with several names (hard links)" if what.st_nlink > 1 else ""


def _listed(texts: set[str] | list[str]) -> str:
    shown = [ascii(text[:60])[1:-1] for text in sorted(texts)[:5]]
    return ", ".join(shown) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
