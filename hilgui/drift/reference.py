"""The reference: what pictures and outputs were like where all was well, in blocks, as a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hilgui.drift.blocks import block_length, block_starts, correlation_time
from hilgui.drift.sample import FEATURE, Sample, group_of, is_single
from hilgui.durable import write_whole
from hilgui.errors import CallWrong, StoreBroken

SCHEMA = "hilgui/drift-reference.v1"
LEAST_BLOCKS = 6  # of a reference: fewer say nothing about how much blocks differ
_KEPT = 100  # frames of a block, evenly spread
_LARGEST = 256 * 2**20  # bytes of a file
_MOST = 20_000_000  # numbers in it


@dataclass(frozen=True, slots=True)
class Origin:
    """One drive or run that a reference was made of."""

    name: str
    path: str
    frames: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Frames in blocks of equal length; blocks count as independent of each other, frames do not."""

    names: tuple[str, ...]
    block: int  # frames of a block in the stream
    kept: int  # ... of which so many are kept, evenly spread
    rows: tuple[tuple[float, ...], ...]  # kept frames of all blocks, one behind the other
    memory: float  # integrated autocorrelation time in frames, of the slowest figure; 0 for an unordered set
    origins: tuple[Origin, ...]
    models: dict[str, str]  # role → sha256; outputs of other models are not compared
    created: str  # ISO 8601, UTC
    version: str
    schema: str = SCHEMA
    camera: str = ""  # channel that it was made of; "" of a drive of one
    per_s: float = 0.0  # of features: samples a second, which count as frames here; 0: every frame
    features: Reference | None = None  # of the networks' own features, where they were sampled

    def only(self, names: Iterable[str]) -> Reference:
        """Keep the figures that are among `names`; raises CallWrong where none is."""
        wanted = set(names)
        places = [place for place, name in enumerate(self.names) if name in wanted]
        if not places:
            raise CallWrong("the reference and what is compared with it have no figure in common; make another one")
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        return replace(self, names=tuple(self.names[place] for place in places), rows=rows)

    def fitting(self, models: Mapping[str, str]) -> Reference:
        """Keep pictures, and outputs of those models (role → sha256) that the reference knows; raises CallWrong."""
        same = {"picture", *(role for role, sha256 in self.models.items() if models.get(role) == sha256)}
        features = self.features
        if features is not None:
            names = [name for name in features.names if group_of(name) in same]
            features = features.only(names) if names else None
        return replace(self.only(name for name in self.names if group_of(name) in same), features=features)

    @property
    def values(self) -> NDArray[np.float64]:
        """Give the figures as (blocks, kept, names)."""
        rows = np.array(self.rows, np.float64)
        found: NDArray[np.float64] = rows.reshape(-1, self.kept, len(self.names))
        return found

    @property
    def caution(self) -> float:
        """Give by how much limits are widened, as neighbouring blocks still hang together a little."""
        return math.sqrt(1.0 + self.memory / self.block)

    @property
    def blocks(self) -> int:
        """Count the blocks."""
        return len(self.rows) // self.kept


def thin(block: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """Keep so many rows of a block, evenly spread."""
    if len(block) <= kept:
        return block
    return np.take(block, np.linspace(0, len(block) - 1, kept).round().astype(int), axis=0)


def make_reference(
    sample: Sample,
    origins: tuple[Origin, ...],
    models: dict[str, str],
    *,
    created: str,
    version: str,
    camera: str = "",
    per_s: float = 0.0,
) -> Reference:
    """Cut a sample into blocks; raises CallWrong where it is too short for how its frames hang together.

    `per_s`: a sample of features, so many a second.
    """
    memory = 0.0
    if len(sample) and sample.is_ordered:
        leading = [place for place, name in enumerate(sample.names) if is_single(name)]
        memory = max((_memory(sample, place) for place in leading), default=1.0)
        features = [_memory(sample, place) for place, name in enumerate(sample.names) if FEATURE in name]
        memory = max(memory, float(np.median(features)) if features else 1.0)  # of so many the slowest is chance
    length = block_length(memory, len(sample))
    starts = block_starts(sample.stretches, length)
    if len(starts) < LEAST_BLOCKS:
        what = "samples of features" if per_s else "frames"
        raise CallWrong(
            f"{len(sample)} {what} are too few for a reference: neighbouring ones are alike over {length}, and "
            f"{LEAST_BLOCKS} stretches of that many are needed; name a longer drive, or several of the same kind"
        )
    kept = min(length, _KEPT)
    rows = np.concatenate([thin(sample.values[start : start + length], kept) for start in starts])
    return Reference(
        names=sample.names,
        block=length,
        kept=kept,
        rows=tuple(tuple(float(f"{value:.7g}") for value in row) for row in rows.tolist()),
        memory=memory,
        origins=origins,
        models=models,
        created=created,
        version=version,
        camera=camera,
        per_s=per_s,
    )


def _memory(sample: Sample, place: int) -> float:
    return correlation_time(sample.values[:, place], sample.stretches)


_SHAPE = TypeAdapter(Reference)


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference as JSON, whole or not at all; raises StoreBroken."""
    try:
        write_whole(path, _SHAPE.dump_json(reference))
    except OSError as failure:
        raise StoreBroken(f"{path} cannot be written: {failure}; name another file with --out", path=path) from failure


def read_reference(path: Path) -> Reference:
    """Read a reference; raises StoreBroken naming what is wrong."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is larger than 256 MiB")
        reference = _SHAPE.validate_json(path.read_bytes(), strict=True)
        _check(reference)
    except (OSError, ValueError) as failure:
        raise StoreBroken(
            f"{path} is no drift reference: {_why(failure)}; make one with `hilgui drift reference`", path=path
        ) from failure
    return reference


def read_references(path: Path) -> tuple[Reference, ...]:
    """Read a reference, or those of several cameras: the .json files of a folder. Raises StoreBroken."""
    if not path.is_dir():
        return (read_reference(path),)
    found: dict[str, Path] = {}
    references: list[Reference] = []
    for file in sorted(path.glob("*.json")):
        references.append(read_reference(file))
        camera = references[-1].camera
        if camera in found:
            raise StoreBroken(f"{found[camera]} and {file} are references of the same camera; keep one", path=file)
        found[camera] = file
    if not references:
        raise StoreBroken(f"{path} holds no drift reference; make one with `hilgui drift reference`", path=path)
    return tuple(references)


def _check(reference: Reference) -> None:
    _check_figures(reference)
    features = reference.features
    if features is not None:
        is_sampled = features.features is None and features.per_s > 0
        if not is_sampled or not all(FEATURE in name for name in features.names):
            raise ValueError("its features are no samples of features")
        _check_figures(features)
    elif any(FEATURE in name for name in reference.names):
        raise ValueError("it holds the features of every frame, and this version samples them")


def _check_figures(reference: Reference) -> None:
    if reference.schema != SCHEMA:
        raise ValueError(f"its schema is {reference.schema!r}, this version reads {SCHEMA!r}")
    width, rows = len(reference.names), reference.rows
    if not width or len(set(reference.names)) != width:
        raise ValueError("its figures have no names, or two have the same")
    if not 1 <= reference.kept <= reference.block or len(rows) * width > _MOST:
        raise ValueError("its blocks make no sense")
    if not 0 <= reference.memory <= reference.block:
        raise ValueError("its blocks are shorter than its frames are alike")
    if len(rows) % reference.kept or len(rows) // reference.kept < LEAST_BLOCKS:
        raise ValueError(f"it does not hold {LEAST_BLOCKS} or more whole blocks")
    if any(len(row) != width or not all(map(math.isfinite, row)) for row in rows):
        raise ValueError("a row of it is not a row of numbers")


def _why(failure: OSError | ValueError) -> str:
    if isinstance(failure, FileNotFoundError):
        return "it is not there"
    if not isinstance(failure, ValidationError):
        return str(failure)
    first = failure.errors()[0]
    return ": ".join(filter(None, (".".join(str(part) for part in first["loc"]), first["msg"])))
