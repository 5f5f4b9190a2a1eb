"""What to list of all findings: filters and order, and their SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong
from hilgui.records import Severity

ORDERS = {
    "badness": "badness",
    "severity": "severity",
    "kind": "kind",
    "class": "label",
    "run": "run",
    "time": "first_s",
    "frames": "frames",
    "state": "state",
    "assignee": "assignee",
    "role": "role",
    "suspect": "suspect",
    "suspect_model": "suspect_model",
    "tags": "tags",
    "distance": "distance_m",
    "number": "number",
}
"""Names of orders and the columns behind them; "badness" is the one order of findings, the worst first."""

_NEAR = 10  # bits of 64 in which pictures that look alike may differ


@dataclass(frozen=True, slots=True)
class Query:
    """Filters that are all to be met; inside one of them any value will do. Empty filters let everything pass."""

    runs: tuple[Path, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()  # class names
    drives: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    suspect_models: tuple[str, ...] = ()  # "baseline", "candidate": where a model is suspected, which one
    levels: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()  # "weather=rain"
    assignees: tuple[str, ...] = ()
    text: str = ""  # every word must occur in the sentence, a name, a tag or the note
    nearer_m: float | None = None  # distance of the first object
    like: int | None = None  # perceptual hash of a picture (64 bits)
    like_bits: int = _NEAR
    order: str = "badness"
    descending: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is filtered."""
        return not any(getattr(self, name) for name in FILTERS) and self.nearer_m is None and self.like is None

    def without(self, field: str) -> Query:
        """Give the same query with one filter let go."""
        free: Any = ()
        return replace(self, **{field: free})

    def where(self, *, text_is_common: bool = False) -> tuple[str, list[Any]]:
        """Give the condition in SQL and its values; `like` is left to whoever knows the hashes.

        Of a text that most findings have, those are named that do not have it: the shorter list is the quicker one.
        """
        parts: list[str] = []
        values: list[Any] = []
        for field, column in (*_COLUMNS.items(), *_RUN_COLUMNS.items()):
            wanted = getattr(self, field)
            if wanted:
                test = f"{column} IN ({','.join('?' * len(wanted))})"
                parts.append(test if field in _COLUMNS else f"run IN (SELECT id FROM run WHERE {test})")
                values.extend(str(value) if isinstance(value, Path) else value for value in wanted)
        for tag in self.tags:
            parts.append("instr(tags, ?)")
            values.append(f"|{tag}|")
        for condition in self.conditions:
            parts.append("run IN (SELECT id FROM run WHERE instr(conditions, ?))")
            values.append(f"|{condition}|")
        words = self.text.lower().split()
        if words:
            parts.append(_TEXT_COMMON.format(self.has_words) if text_is_common else _TEXT.format(self.has_words))
            values.extend(words)
        if self.nearer_m is not None:
            parts.append("distance_m <= ?")
            values.append(self.nearer_m)
        return (" AND ".join(parts) or "1", values)

    @property
    def has_words(self) -> str:
        """Give the condition on the table of words, "" without a text; its values are the words."""
        return " AND ".join(["instr(words, ?)"] * len(self.text.split()))

    def order_by(self) -> str:
        """Give the order in SQL; raises CallWrong for one that does not exist."""
        if self.order not in ORDERS:
            raise CallWrong(f"findings cannot be ordered by {self.order!r}; choose one of {', '.join(ORDERS)}")
        direction = " DESC" if self.descending else ""
        column = ORDERS[self.order]
        return f"{column}{direction}" if column == "badness" else f"{column}{direction}, badness"

    def arguments(self) -> list[str]:
        """Give the options of `hilgui findings` that ask for the same."""
        words: list[str] = []
        for field, option in _OPTIONS.items():
            for value in getattr(self, field):
                words += [option, _severity_word(value) if field == "severities" else str(value)]
        if self.text:
            words += ["--text", self.text]
        if self.nearer_m is not None:
            words += ["--nearer", f"{self.nearer_m:g}"]
        if self.like is not None:
            words += ["--like", f"{self.like:016x}"]
        if (self.order, self.descending) != ("badness", False):
            words += ["--order", self.order] + (["--descending"] if self.descending else [])
        return words


_TEXT = "id IN (SELECT id FROM words WHERE {})"
_TEXT_COMMON = "id NOT IN (SELECT id FROM words WHERE NOT ({}))"
_COLUMNS = {
    "kinds": "kind",
    "severities": "severity",
    "labels": "label",
    "states": "state",
    "roles": "role",
    "suspects": "suspect",
    "suspect_models": "suspect_model",
    "levels": "level",
    "assignees": "assignee",
}
_RUN_COLUMNS = {"runs": "folder", "drives": "drive"}
_OPTIONS = {
    "kinds": "--kind",
    "severities": "--severity",
    "labels": "--class",
    "drives": "--drive",
    "states": "--state",
    "tags": "--tag",
    "roles": "--model",
    "suspects": "--suspect",
    "suspect_models": "--suspect-model",
    "levels": "--level",
    "conditions": "--condition",
    "assignees": "--assignee",
}
FILTERS = (*_COLUMNS, *_RUN_COLUMNS, "tags", "conditions", "text")


def _severity_word(value: int) -> str:
    return Severity(value).label
