"""What the Models view shows: slots with their aliases, models, moves, and one model in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgui.evidence import Decisions, Recorded
from hilgui.gui.linked_table import Cell, number
from hilgui.inference.card import card_beside
from hilgui.models import Alias, Entry, Placed, Registry
from hilgui.records import Action
from hilgui.settings import Settings

Rows = tuple[tuple[str, ...], list[tuple[Cell, ...]]]
Say = Callable[[str], str]

_MARKS = {Alias.CHAMPION: ("good", "●"), Alias.CANDIDATE: ("candidate", "◆"), Alias.LAST_GOOD: ("baseline", "↺")}
_MOVES = {"roll_back": "missed", "promote": "good"}


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A job with what its aliases name, and everything that was moved."""

    name: str
    placed: dict[Alias, Placed]
    moves: tuple[dict[str, Any], ...]
    has_golden: bool
    promotable: Recorded | None  # the newest decision that allows its candidate to become champion


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """The registry as it was read."""

    entries: tuple[Entry, ...] = ()
    slots: tuple[Slot, ...] = ()
    cards: dict[str, str] = field(default_factory=dict)  # hash of the entry → its card as it stands

    def entry(self, sha256: str) -> Entry | None:
        """Give the model of a hash."""
        return next((one for one in self.entries if one.sha256 == sha256), None)

    def name(self, sha256: str) -> str:
        """Name the model of a hash."""
        entry = self.entry(sha256)
        return sha256[:12] if entry is None else entry.name

    def uses(self, sha256: str) -> list[tuple[str, Alias]]:
        """Say which aliases name a model."""
        return [(slot.name, alias) for slot in self.slots for alias, one in slot.placed.items() if one.sha256 == sha256]


def read_shelf(settings: Settings) -> Shelved:
    """Read the registry and which decisions speak for its candidates; raises RegistryBroken, EvidenceBroken."""
    registry = Registry(settings.models)
    entries = tuple(registry.shelf.entries())
    decisions = [one for one in Decisions(settings.home).all() if one.action is Action.PROMOTE and one.is_agreed]
    slots = []
    for name in registry.slots():
        placed = {alias: one for alias in Alias if (one := registry.placed(name, alias)) is not None}
        slots.append(
            Slot(
                name,
                placed,
                tuple(registry.history(name)),
                (settings.models / "slots" / name / "golden.json").is_file(),
                _promotable(name, placed, entries, decisions),
            )
        )
    return Shelved(entries, tuple(slots), {one.sha256: _card(settings.models, one) for one in entries})


def slot_rows(tr: Say, shelved: Shelved) -> Rows:
    """List the slots."""
    titles = (tr("Slot"), tr("Champion"), tr("Candidate"), tr("Last good"), tr("Golden clip"), tr("Last move"))
    rows: list[tuple[Cell, ...]] = []
    for slot in shelved.slots:
        last: dict[str, Any] = slot.moves[-1] if slot.moves else {"at": "", "action": "", "by": ()}
        moved = f"{_when(last['at'])}  {last['action'].replace('_', ' ')}  {', '.join(last['by'])}".strip()
        rows.append(
            (
                Cell(slot.name, slot),
                *(_named(shelved, slot, alias) for alias in Alias),
                Cell(tr("✓ set") if slot.has_golden else tr("none"), slot, colour="" if slot.has_golden else "warning"),
                Cell(moved, slot, colour="text_soft", tip=str(last.get("reason", ""))),
            )
        )
    return titles, rows


def model_rows(tr: Say, shelved: Shelved) -> Rows:
    """List the models, the newest first."""
    titles = (tr("Model"), tr("In use as"), tr("Task"), tr("Adapter"), tr("MB"), tr("Licence"), tr("Imported"),
        tr("sha256"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in shelved.entries:
        uses = shelved.uses(one.sha256)
        said = ", ".join(f"{_MARKS[alias][1]} {slot}@{alias.value}" for slot, alias in uses)
        colour = _MARKS[uses[0][1]][0] if uses else ""
        rows.append(
            (
                Cell(one.name, one),
                Cell(said or "–", one, colour=colour or "text_faint"),
                Cell(one.task, one),
                Cell(one.adapter, one),
                number(f"{one.size / 1e6:.2f}", one),
                Cell(one.licence or tr("not stated"), one, colour="" if one.licence else "text_faint"),
                Cell(f"{_when(one.lineage.at)}  {one.lineage.by}", one, colour="text_soft"),
                Cell(one.short, one, tip=one.sha256, colour="text_soft"),
            )
        )
    return titles, rows


def fact_rows(tr: Say, shelved: Shelved, entry: Entry) -> Rows:
    """Say what one model is, and where it comes from."""
    lineage = entry.lineage
    facts = [
        (tr("sha256"), entry.sha256),
        (tr("ONNX file"), f"{entry.model}  {entry.onnx_sha256}"),
        *((tr("input"), one) for one in entry.inputs),
        *((tr("output"), one) for one in entry.outputs),
        (tr("task"), f"{entry.task}, {entry.adapter}"),
        (tr("licence"), entry.licence or tr("not stated")),
        (tr("files"), ", ".join(sorted(entry.files)) + f"  ({entry.size:,} bytes)"),
        (tr("imported"), f"{lineage.at.replace('T', ' ')} {lineage.by}"),
        (tr("from"), lineage.source),
        (tr("made by"), lineage.command or _made_by(tr, shelved.cards.get(entry.sha256, ""))),
        *((tr("made from"), f"{shelved.name(one)}  {one}") for one in lineage.made_from),
        *((tr("became"), one.name) for one in shelved.entries if entry.sha256 in one.lineage.made_from),
        (tr("notes"), lineage.notes or "–"),
    ]
    rows: list[tuple[Cell, ...]] = [(Cell(name, colour="text_soft"), Cell(value, tip=value)) for name, value in facts]
    return (tr("What"), tr("Value")), rows


def move_rows(tr: Say, shelved: Shelved, moves: Sequence[dict[str, Any]]) -> Rows:
    """List moves of a slot, the newest first."""
    titles = (tr("When"), tr("Move"), tr("Alias"), tr("Model"), tr("Before"), tr("By"), tr("Reason"), tr("s"),
        tr("Checked"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in reversed(moves):
        checked = ", ".join(one["checked"])
        rows.append(
            (
                Cell(_when(one["at"])),
                Cell(one["action"].replace("_", " "), colour=_MOVES.get(one["action"], "")),
                Cell(one["alias"]),
                Cell(shelved.name(one["sha256"]), shelved.entry(one["sha256"]), tip=one["sha256"]),
                Cell(shelved.name(one["before"]) if one["before"] else "–", tip=one["before"]),
                Cell(", ".join(one["by"])),
                Cell(one["reason"], tip=one["reason"]),
                number(f"{one['seconds']:.2f}"),
                Cell(checked, colour="missed" if checked.startswith("NOT") else "", tip=checked),
            )
        )
    return titles, rows


def _made_by(tr: Say, card: str) -> str:
    return tr("see the card") if "made_by:" in card else tr("not stated")


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


def _named(shelved: Shelved, slot: Slot, alias: Alias) -> Cell:
    placed = slot.placed.get(alias)
    if placed is None:
        return Cell("–", slot, colour="text_faint")
    colour, sign = _MARKS[alias]
    return Cell(f"{sign} {shelved.name(placed.sha256)}", slot, colour=colour, tip=f"{placed.sha256}\n{placed.reason}")


def _promotable(
    slot: str, placed: dict[Alias, Placed], entries: Sequence[Entry], decisions: Sequence[Recorded]
) -> Recorded | None:
    candidate = placed.get(Alias.CANDIDATE)
    if candidate is None or (Alias.CHAMPION in placed and placed[Alias.CHAMPION].sha256 == candidate.sha256):
        return None
    hashes = {one.onnx_sha256 for one in entries if one.sha256 == candidate.sha256}
    fitting = [one for one in decisions if one.slot == slot and one.models.get("candidate") in hashes]
    return max(fitting, key=lambda one: str(one.plain["at"]), default=None)


def _card(models: Path, entry: Entry) -> str:
    card = card_beside(models / "shelf" / entry.sha256 / entry.model)
    if card is None:
        return ""
    try:
        return card.read_text(encoding="utf-8")
    except (OSError, ValueError) as failure:
        return f"{card} cannot be read: {failure}"
