"""Finds the noise that `hilgui noise` measured for the models of a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from hilgui.errors import CallWrong
from hilgui.records import ModelFacts, Role
from hilgui.report.noise import read_noise
from hilgui.settings import Settings
from hilgui.store import RunReader, find_run


def measured_noise(settings: Settings, models: Mapping[Role, ModelFacts]) -> dict[str, Any]:
    """Give run id and figures of the noise that the settings name, for the header; nothing where they name none.

    Raises CallWrong where that run was never measured, or with other models.
    """
    if not settings.noise:
        return {}
    folder = find_run(settings.noise, settings.runs)
    floor = read_noise(folder)
    if floor is None:
        raise CallWrong(f"the noise of {folder.name} was never measured; run `hilgui noise {folder.name}` first")
    with closing(RunReader(folder)) as reader:
        known = {facts.sha256 for facts in reader.header.models.values()}
        run_id = reader.header.run_id
    strangers = [facts.name for facts in models.values() if facts.sha256 not in known]
    if strangers:
        raise CallWrong(
            f"the noise of {run_id} says nothing about {' and '.join(strangers)}; "
            "measure a run of the same models, or leave --noise and the setting noise out"
        )
    return {"run_id": run_id, "score": floor.score, "box_px": floor.box_px, "disagreement": floor.disagreement}
