"""Questions to the operator and who answers them: a person at a screen, or nobody."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

YES, NO = "yes", "no"


class Purpose(StrEnum):
    """Why somebody is asked."""

    PROMPT = "prompt"  # a step of the case
    ARM = "arm"  # first confirmation
    CONFIRM = "confirm"  # second confirmation
    RESET = "reset"  # the latch of a rig is to be cleared


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; an answer is text: yes or no, a number, one of the choices, or anything."""

    number: int
    case: str  # id
    purpose: Purpose
    text: str
    input: Literal["confirm", "text", "number", "choice"] = "confirm"
    picture: Path | None = None
    choices: tuple[str, ...] = ()
    hazardous: bool = False
    simulated: bool = False  # the rig, if there is one, is a simulated one

    def flaw(self, answer: str) -> str:
        """Say why an answer cannot be taken, "" where it can."""
        if self.input == "confirm" and answer not in (YES, NO):
            return "answer yes or no"
        if self.input == "choice" and answer not in self.choices:
            return f"answer one of {', '.join(self.choices)}"
        if self.input == "number":
            try:
                float(answer)
            except ValueError:
                return "answer a number"
        return ""


class Operator(Protocol):
    """Who is asked. The runner's thread asks and looks for the answer without waiting: a rig must not wait for it."""

    name: str

    def ask(self, question: Question) -> None:
        """Show a question."""
        ...

    def answer(self, question: Question) -> str | None:
        """Give the answer; None while there is none."""
        ...

    def withdraw(self, question: Question) -> None:
        """Take a question away, answered or not."""
        ...

    def is_absent(self, question: Question) -> bool:
        """Say whether nobody will ever answer this."""
        ...


class Unattended:
    """Nobody is there: simulated rigs are armed and reset, harmless prompts get yes where that was asked for."""

    def __init__(self, name: str, *, says_yes: bool = False) -> None:
        self.name = name
        self._says_yes = says_yes

    def ask(self, question: Question) -> None:
        """Nobody looks."""

    def answer(self, question: Question) -> str | None:
        """Say yes where it may be said."""
        if question.purpose is not Purpose.PROMPT:
            return YES if question.simulated else None
        is_yes = self._says_yes and question.input == "confirm" and not question.hazardous
        return YES if is_yes else None

    def withdraw(self, question: Question) -> None:
        """Nothing was shown."""

    def is_absent(self, question: Question) -> bool:
        """Say that what is not answered at once never is."""
        return self.answer(question) is None


class Desk:
    """Questions and answers between threads: a screen lists `open_questions` and calls `reply`, whenever it likes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], Question] = {}
        self._answers: dict[tuple[str, int], str] = {}

    def open_questions(self) -> list[Question]:
        """Give what waits for an answer."""
        with self._lock:
            return [question for key, question in self._open.items() if key not in self._answers]

    def reply(self, question: Question, answer: str) -> str:
        """Answer; gives why the answer cannot be taken, "" where it was."""
        flaw = question.flaw(answer)
        with self._lock:
            if not flaw and (question.case, question.number) in self._open:
                self._answers[question.case, question.number] = answer
        return flaw

    def ask(self, question: Question) -> None:
        """Show a question."""
        with self._lock:
            self._open[question.case, question.number] = question

    def answer(self, question: Question) -> str | None:
        """Give the answer, once there is one."""
        with self._lock:
            return self._answers.get((question.case, question.number))

    def withdraw(self, question: Question) -> None:
        """Take a question away."""
        with self._lock:
            self._open.pop((question.case, question.number), None)
            self._answers.pop((question.case, question.number), None)

    def is_absent(self, question: Question) -> bool:
        """Somebody may always come back to the screen."""
        return False
