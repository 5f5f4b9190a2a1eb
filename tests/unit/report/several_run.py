"""A short drive of two cameras with the signals of its vehicle, stored by the real writer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hilgui.records import Frame, Ledger, Outcome, Severity, Verdict
from hilgui.settings import ClipSettings
from hilgui.store import ClipKeeper, RunWriter
from tests.unit.report.night_run import FPS, findings_of, header, moment_of, picture_of

CAMERAS = ("front", "=rear")  # the second would be a formula in a spreadsheet
PAIRS = 8


def write_several(root: Path) -> Path:
    head = header("20260131-160000-two-cameras-bbbb")
    cameras = tuple(
        {"channel": name, "path": name, "topic": "", "fps": FPS, "camera": None, "geometry": None} for name in CAMERAS
    )
    head = replace(head, source=replace(head.source, cameras=cameras, frames=2 * PAIRS))
    rng = np.random.default_rng(3)
    writer = RunWriter(root, head)
    keeper = ClipKeeper(ClipSettings())
    pictures = []
    for seq in range(2 * PAIRS):
        moment = moment_of(seq, head, rng)
        ref = replace(moment.ref, channel=CAMERAS[seq % 2], time_s=(seq // 2) / FPS)
        moment = replace(moment, ref=ref)
        pictures += keeper.push(Frame(ref, picture_of(seq)))
        if seq == 6:
            pictures += keeper.keep_around(ref.time_s, Severity.HIGH)
        writer.write([moment], (), pictures)
        pictures = []
    found = [
        replace(each, channel=CAMERAS[1], first_seq=1, last_seq=5, worst_seq=3)
        for each in findings_of(tuple(head.models))
    ]
    writer.write([], found)
    writer.put_series("ego_speed", "m/s", np.arange(20) * 0.01, np.linspace(10, 12, 20))
    writer.finish(Verdict(Outcome.PASS, ()), Ledger(2 * PAIRS, 2 * PAIRS, 0, 0, 2 * PAIRS, 0, ()))
    writer.close()
    return writer.folder
