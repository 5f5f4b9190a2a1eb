"""What people decided about findings: the state of each, and the changes that led there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TriageState(StrEnum):
    """What a person made of a finding."""

    OPEN = "open"  # nobody has decided yet
    MODEL_FAULT = "model_fault"  # the model is wrong
    LABEL_ERROR = "label_error"  # the label is wrong
    RIG_OR_TIMING_FAULT = "rig_or_timing_fault"  # camera, cable, clock
    UNLABELLED_OBJECT = "unlabelled_object"  # the model saw a real object that nobody labelled
    ACCEPTED = "accepted"  # a real fault that is known and lived with
    DUPLICATE = "duplicate"  # the same story as another finding


@dataclass(frozen=True, slots=True)
class Triage:
    """Where a finding stands."""

    state: TriageState = TriageState.OPEN
    note: str = ""
    tags: tuple[str, ...] = ()  # sorted, lower case
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class TriageChange:
    """One line of the history; None means that the change does not touch it. Never altered once it is written."""

    id: str
    when: str  # ISO 8601, UTC
    who: str
    findings: tuple[int, ...]  # numbers within the run
    state: TriageState | None = None
    note: str | None = None
    tags: tuple[str, ...] | None = None
    assignee: str | None = None
    undoes: str = ""  # id of the change that this one takes back
