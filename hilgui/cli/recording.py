"""Who is at the bench, the registry as commands use it, and a recorded decision in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilgui.models import Registry
    from hilgui.pipeline.deciding import Acted
    from hilgui.settings import Settings


def open_registry(settings: Settings, **more: str) -> Registry:
    """Open the registry so that models prove themselves and every move is in the journal."""
    from hilgui.pipeline import deciding

    return deciding.open_registry(settings, **more)


def who(settings: Settings) -> str:
    """Name who is at the bench: the setting, else who is logged in."""
    import getpass

    return settings.operator or getpass.getuser()


def print_acted(acted: Acted) -> None:
    """Say on the terminal what was recorded and what became of it."""
    from hilgui.cli.console import results
    from hilgui.records import Action

    recorded = acted.recorded
    results.print(f"  recorded as {recorded.id}", markup=False)
    for one in recorded.plain["loosened"]:
        results.print(f"  looser than {recorded.plain['previous']}: {one}", markup=False)
    if recorded.people_needed:
        how = f"hilgui sign {recorded.id} --key NAME"
        results.print(f"  takes the agreement of {recorded.people_needed} people: {how}", markup=False)
    if acted.rolled_back:
        results.print(f"  rollback: {acted.rolled_back}", markup=False)
    if acted.trouble:
        results.print(f"  ROLLBACK NOT PROVEN: {acted.trouble}", markup=False)
    if acted.incident:
        results.print(f"  incident {acted.incident} is open: hilgui incident show {acted.incident}", markup=False)
    elif recorded.action is Action.ROLL_BACK:
        how = f"hilgui incident open WHAT --decision {recorded.id}"
        results.print(f"  if people could have been hurt: {how}", markup=False)
