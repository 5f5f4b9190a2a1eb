"""The class names of one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Class names shared by both models and the truth; `judged` says which are compared.

    A class that one side does not know, or that the operator left out, stays visible but is never
    a miss or a phantom.
    """

    names: tuple[str, ...]
    judged: frozenset[int]

    def name(self, index: int) -> str:
        """Name a class number; a region without class is an ignore region."""
        return self.names[index] if 0 <= index < len(self.names) else "ignore"
