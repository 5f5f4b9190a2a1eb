"""A recipe: corruptions with their severities, one after the other, as people write them: fog:3, rain:2.5."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hilgui.corruptions.catalogue import CORRUPTIONS, STREAM
from hilgui.corruptions.steps import LEAST, MOST, Picture
from hilgui.corruptions.weather import depth_fog

DEPTH_FOG = "depth_fog"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to the pictures and to the stream of a drive, in this order; the seed makes it repeatable."""

    parts: tuple[tuple[str, float], ...]  # name and severity
    seed: int = 0

    @property
    def pictures(self) -> tuple[tuple[str, float], ...]:
        """Give what is done to each picture."""
        return tuple(part for part in self.parts if part[0] in CORRUPTIONS)

    @property
    def stream(self) -> dict[str, float]:
        """Give what is done to the stream, severity by name."""
        return {name: severity for name, severity in self.parts if name in STREAM}

    @property
    def words(self) -> str:
        """Say it in one line."""
        parts = " then ".join(f"{name} at severity {severity:g}" for name, severity in self.parts)
        return f"corrupted: {parts}; seed {self.seed}"

    @property
    def texts(self) -> tuple[str, ...]:
        """Write it as `parse_recipe` reads it."""
        return tuple(f"{name}:{severity:.12g}" for name, severity in self.parts)

    @property
    def needs_depth(self) -> bool:
        """Say whether distances change what it does."""
        return any(name == DEPTH_FOG for name, _ in self.parts)

    def apply(self, image: Picture, seq: int, depth_m: NDArray[np.floating] | None = None) -> Picture:
        """Corrupt the picture of frame `seq`; the same frame gives the same picture, whatever came before it.

        `depth_m`: (height, width) in metres, where it is known; only fog with depth looks at it.
        """
        for place, (name, severity) in enumerate(self.pictures):
            corruption = CORRUPTIONS[name]
            if name == DEPTH_FOG and depth_m is not None:
                corruption = replace(corruption, change=partial(depth_fog, depth_m=depth_m))
            image = corruption.apply(image, severity, chance(self.seed, name, place, -1 if corruption.stays else seq))
        return image


def chance(seed: int, name: str, place: int, seq: int) -> np.random.Generator:
    """Make the generator of one corruption of one frame; seq -1 stands for the whole drive."""
    return np.random.default_rng((seed, zlib.crc32(name.encode()), place, seq + 1))


def parse_recipe(texts: Iterable[str], seed: int = 0) -> Recipe:
    """Read `fog:3` or `fog:3+rain:1.5`, several in their order; without a number it is severity 3.

    Raises ValueError with a sentence.
    """
    if seed < 0:
        raise ValueError(f"the seed of a corruption is 0 or more, not {seed}")
    parts = [_part(each.strip()) for text in texts for each in text.split("+")]
    of_stream = [name for name, _ in parts if name in STREAM]
    twice = next((name for name in of_stream if of_stream.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is there twice; a stream has one of each")
    return Recipe(tuple(parts), seed)


def _part(text: str) -> tuple[str, float]:
    name, colon, number = text.partition(":")
    name = name.strip().replace("-", "_")
    known = (*CORRUPTIONS, *STREAM)
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise ValueError(f"there is no corruption {name!r}; {hint}")
    try:
        severity = float(number) if colon else 3.0
    except ValueError:
        severity = float("nan")
    if not LEAST <= severity <= MOST:
        raise ValueError(f"{text!r}: the severity is a number from {LEAST:g} to {MOST:g}, such as {name}:3")
    return name, severity
