"""Parameters of a case: the text of each combination, and which value of which parameter a mistake comes from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hilgui.documents import Flaw, Place, instead, line_of, parse_document, tree_of
from hilgui.sequencer.case import Value

MAX_COMBINATIONS = 1000

Chosen = dict[str, bool | int | float | str]

_HOLE = re.compile(r"\$\{([^}\n]*)\}")
_HELD = re.compile(r"hole-([a-z][a-z0-9_]*)-")
_PLAIN = re.compile(r"[^\n\r:#{}\[\],&*!|>'\"%@`]*")  # text that is one YAML scalar wherever it is put


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="ignore")
    parameters: dict[str, tuple[Value, ...]] = Field(default_factory=dict)


def read_sweep(text: str) -> Sweep | list[Flaw]:
    """Read the parameters of a case, or what is wrong with the text that holds them."""
    read = parse_document(_HOLE.sub("0", text), _Parameters)
    return read if isinstance(read, list) else Sweep(text, read.parameters)


class Sweep:
    """The text of a case with its parameters."""

    def __init__(self, text: str, parameters: Mapping[str, tuple[Any, ...]]) -> None:
        self._text = text
        self._parameters = parameters
        self._tree = tree_of(_HOLE.sub("0", text))
        self._holes = tree_of(_HOLE.sub(lambda hole: f"hole-{hole[1]}-", text))

    def flaws(self) -> Iterator[Flaw]:
        """Give the mistakes in the parameters themselves, and holes for which there is none."""
        count = 1
        for name, values in self._parameters.items():
            count *= len(values)
            if not values:
                yield self.flaw(("parameters", name), "a sweep needs at least one value")
            for number, value in enumerate(values):
                if isinstance(value, str) and (not value.strip() or not _PLAIN.fullmatch(value)):
                    yield self.flaw(("parameters", name, number), f"{value!r} is not plain text of one line")
        if count > MAX_COMBINATIONS:
            yield self.flaw(("parameters",), f"{count} combinations; at most {MAX_COMBINATIONS} make sense")
        for number, said in enumerate(self._text.splitlines(), 1):
            for name in _HOLE.findall(said.partition("#")[0]):
                if name not in self._parameters:
                    yield Flaw(number, name, f"${{{name}}} is no parameter{instead(name, self._parameters)}")

    def combinations(self) -> Iterator[tuple[Chosen, str]]:
        """Give each combination with the text that it makes."""
        for values in itertools.product(*self._parameters.values()):
            chosen = dict(zip(self._parameters, values, strict=True))
            yield chosen, self._filled(chosen)

    def _filled(self, chosen: Chosen) -> str:
        return _HOLE.sub(lambda hole: value_text(chosen.get(hole[1], 0)), self._text)

    def flaw(self, place: Place, sentence: str) -> Flaw:
        """Give a mistake at a place of the text."""
        return Flaw(line_of(self._tree, place), ".".join(map(str, place)), sentence)

    def blamed(self, flaw: Flaw, chosen: Mapping[str, Any]) -> Flaw:
        """Give the mistake of a value that came through a hole as that of its parameter, any other as it is."""
        held = _HELD.search(_text_at(self._holes, flaw.key))
        if held is None or held[1] not in chosen:
            return flaw
        value = chosen[held[1]]
        place = ("parameters", held[1], self._parameters[held[1]].index(value))
        return self.flaw(place, f"{value_text(value)} is no value for line {flaw.line}, {flaw.key}: {flaw.sentence}")


def value_text(value: bool | int | float | str) -> str:
    """Write a value as it is put into the text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text_at(tree: Any, key: str) -> str:
    """Follow a dotted key to a text; "" where it leads to none."""
    for part in key.split("."):
        try:
            tree = tree[int(part)] if isinstance(tree, list) else tree[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return tree if isinstance(tree, str) else ""
