"""A stored run judged by other labels: a new run folder, without running any model; the original never changes."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hilgui.errors import CallWrong, StoreBroken
from hilgui.evaluation import Scorecard
from hilgui.records import Finding, Moment, TruthFacts, Verdict
from hilgui.report.evaluate import Changes, Rejudged
from hilgui.report.protocol import Progress, silent
from hilgui.store import RunReader, RunWriter, new_run_id
from hilgui.truth import read_labels

_BATCH = 64  # frames in one transaction


def rejudge(
    folder: Path, truth: Path, root: Path, *, command: tuple[str, ...] = (), progress: Progress = silent
) -> Path:
    """Write a run with the stored inferences of another one, judged by other labels; returns its folder.

    Ledger and verdict are those of the original: they say what became of the frames. The run says where it comes from
    in its notes and in the value `rejudged_from`. Raises CallWrong, StoreBroken, TruthBroken.
    """
    with closing(RunReader(folder)) as reader:
        verdict = reader.verdict
        if verdict is None:
            raise CallWrong(f"{folder.name} is still being written; wait for its end")
        again = Rejudged(reader, Changes(truth=truth))
        labels = read_labels(truth)
        old = reader.header
        facts = TruthFacts(
            path=str(truth.resolve()),
            sha256=labels.sha256,
            format=labels.format,
            join="key" if old.truth is None else old.truth.join,
            frames=0 if old.truth is None else old.truth.frames,
            class_map={} if old.truth is None else old.truth.class_map,
            conditions=labels.conditions or ({} if old.truth is None else old.truth.conditions),
        )
        now = datetime.now(UTC)
        note = f"rejudged from {old.run_id} by {truth.name}"
        header = replace(
            old,
            run_id=new_run_id(now, old.source.name),
            created=now.isoformat(),
            command=command or ("hilgui", "rejudge", old.run_id, "--truth", str(truth)),
            truth=facts,
            people=replace(old.people, notes=f"{old.people.notes}; {note}" if old.people.notes else note),
        )
        writer = RunWriter(root, header)
        try:
            writer.put("rejudged_from", {"run_id": old.run_id, "folder": str(folder), "truth": str(truth)})
            _copy_pictures(folder, writer.folder)
            scorecard, findings = _judge(reader, again, writer, progress)
            writer.write(reader.losses(), _with_clips(findings, writer.folder))
            writer.put("figures", {role.value: None for role in old.models} | scorecard.as_json())
            writer.finish(Verdict(verdict.outcome, verdict.reasons), reader.ledger)
        finally:
            writer.close()
        return writer.folder


def _judge(
    reader: RunReader, again: Rejudged, writer: RunWriter, progress: Progress
) -> tuple[Scorecard, list[Finding]]:
    watch = again.watches()
    scorecard = Scorecard(reader.header)
    findings: list[Finding] = []
    batch: list[Moment] = []
    total, done = reader.ledger.evaluated, 0
    for moment in again.moments():
        scorecard.add(moment)
        findings += watch.look(moment).closed
        batch.append(moment)
        done += 1
        if len(batch) == _BATCH:
            writer.write(batch)
            batch = []
            progress(done, total)
    writer.write(batch)
    progress(done, total)
    return scorecard, findings + watch.finish()


def _with_clips(findings: list[Finding], folder: Path) -> list[Finding]:
    """Give findings the clip that the kept pictures allow: as far as these go without a gap."""
    kept = {int(path.stem) for path in (folder / "pictures").glob("*.jpg") if path.stem.isdecimal()}
    clipped = []
    for finding in findings:
        if not {finding.first_seq, finding.last_seq} <= kept:
            clipped.append(finding)
            continue
        first, last = finding.first_seq, finding.last_seq
        while first - 1 in kept:
            first -= 1
        while last + 1 in kept:
            last += 1
        room = max(finding.frames, 30)
        clipped.append(
            replace(
                finding, clip_first=max(first, finding.first_seq - room), clip_last=min(last, finding.last_seq + room)
            )
        )
    return clipped


def _copy_pictures(old: Path, new: Path) -> None:
    try:
        for picture in (old / "pictures").glob("*.jpg"):
            shutil.copyfile(picture, new / "pictures" / picture.name)
    except OSError as failure:
        raise StoreBroken(
            f"the pictures of {old} cannot be copied: {failure}; is the disk full?", path=new
        ) from failure
