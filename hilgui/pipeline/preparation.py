"""Opens everything a run needs and writes down what it found."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from hilgui import __version__
from hilgui.inference import Model
from hilgui.pipeline.plan import RunPlan, speed_factor
from hilgui.records import Role, RunHeader, SourceFacts, Truth, TruthFacts
from hilgui.resources import checkout
from hilgui.sources import FrameSource, source_for
from hilgui.store import new_run_id
from hilgui.truth import Agreed, Joined, Labels, agree, join, read_labels, relabel


@dataclass(slots=True)
class Prepared:
    """An opened source, loaded models and the truth by frame; `close` lets go of it."""

    plan: RunPlan
    header: RunHeader
    source: FrameSource
    models: dict[Role, Model]
    class_tables: dict[Role, NDArray[np.int32]]  # class number of the model → class number of the run
    truths: dict[int, Truth]
    factor: float | None  # speed, None for as fast as possible
    notes: tuple[str, ...]

    def close(self) -> None:
        """Close the source and the sessions."""
        self.source.close()
        for model in self.models.values():
            model.close()


def prepare(plan: RunPlan) -> Prepared:
    """Open source, labels and models, in the order in which a mistake is cheapest; raises HilguiError."""
    factor = speed_factor(plan.speed)
    workers = (plan.settings.workers or os.cpu_count() or 1) if factor is None else 1
    source = source_for(plan.source, plan.fps, plan.topic)
    models: dict[Role, Model] = {}
    try:
        facts = source.open()
        labels = None if plan.truth is None else read_labels(plan.truth)
        joined = None if labels is None else join(labels, source.refs())
        for role, path in plan.models.items():
            models[role] = Model.load(path, provider=plan.provider, threads=_threads(role, factor))
        agreed = agree(
            None if labels is None else labels.names,
            plan.class_map,
            [model.classes for model in models.values()],
            plan.classes,
            suggested="" if labels is None else labels.class_map,
        )
        header = _header(plan, facts, models, labels, joined, agreed, workers)
    except BaseException:
        source.close()
        for model in models.values():
            model.close()
        raise
    return Prepared(
        plan=plan,
        header=header,
        source=source,
        models=models,
        class_tables=dict(zip(models, agreed.model_classes, strict=True)),
        truths={}
        if joined is None
        else {seq: relabel(each, agreed.truth_classes) for seq, each in joined.truths.items()},
        factor=factor,
        notes=agreed.notes if joined is None else (*joined.notes, *agreed.notes),
    )


def _threads(role: Role, factor: float | None) -> int:
    """Give one thread a call where frames run in parallel; all but the candidate's in real time."""
    if factor is None or role is Role.CANDIDATE:
        return 1
    return os.cpu_count() or 1


def _header(
    plan: RunPlan,
    facts: SourceFacts,
    models: dict[Role, Model],
    labels: Labels | None,
    joined: Joined | None,
    agreed: Agreed,
    workers: int,
) -> RunHeader:
    created = datetime.now(UTC)
    truth = None
    if labels is not None and joined is not None:
        truth = TruthFacts(
            path=str(labels.path.resolve()),
            sha256=labels.sha256,
            format=labels.format,
            join=joined.kind,
            frames=len(joined.truths),
            class_map=agreed.class_map,
            unmapped=agreed.unmapped,
            conditions=labels.conditions,
        )
    return RunHeader(
        run_id=new_run_id(created, facts.name),
        created=created.isoformat(timespec="milliseconds"),
        version=__version__,
        commit=_commit(),
        command=plan.command,
        settings=plan.settings.model_dump(mode="json"),
        host={
            "name": platform.node(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "processor": platform.machine(),
            "cores": str(os.cpu_count()),
        },
        people=plan.people,
        source=facts,
        truth=truth,
        models={role: model.facts for role, model in models.items()},
        vocabulary=agreed.vocabulary,
        speed=plan.speed,
        workers=workers,
    )


def _commit() -> str:
    root = checkout()
    if root is None:
        return ""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
