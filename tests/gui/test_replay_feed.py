"""The feed of a run that is watched: what it adds up is what the store would count, and nothing is read twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.gui.replay.feed import News, RunFeed
from hilgui.records import Fate, Ledger, Loss, Moment, Outcome, Role, Verdict
from hilgui.store import RunReader, RunWriter, codec
from tests.unit.store.rows import finding, header, moment, ref


def frames(first: int, end: int) -> Iterator[Moment | Loss]:
    """Every seventh is lost, every fifth the baseline saw alone."""
    for seq in range(first, end):
        seen = moment(seq)
        if seq % 7 == 3:
            yield Loss(ref(seq), Fate.DROPPED if seq % 2 else Fate.SKIPPED, "lost")
        elif seq % 5 == 1:
            yield replace(seen, inferences={Role.BASELINE: seen.inferences[Role.BASELINE]}, truth=None)
        else:
            yield seen


def next_news(feed: RunFeed, frames: int) -> News:
    """Wait until so many frames came in all; give the newest news."""
    came, newest = 0, None
    deadline = time.monotonic() + 240
    while came < frames or newest is None:
        assert time.monotonic() < deadline
        item = feed.take()
        if item is None:
            time.sleep(0.005)
            continue
        assert isinstance(item, News)
        newest, came = item, came + len(item.timeline.seq)
    return newest


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    writer = RunWriter(tmp_path, header())
    yield writer
    writer.close()


def test_the_ledger_of_a_run_under_way_is_what_the_store_counts(writer: RunWriter) -> None:
    feed = RunFeed(writer.folder)
    reader = RunReader(writer.folder)
    try:
        for first in (0, 20):
            writer.write(list(frames(first, first + 20)))
            news = next_news(feed, 20)
            assert news.state == "running"
            assert news.ledger == replace(reader.ledger, reasons=())
            assert news.ledger.dropped and news.ledger.skipped and news.ledger.candidate_skipped
        told = Ledger(40, 34, 3, 3, 34, 0, (("lost", 6),))
        writer.finish(Verdict(Outcome.PASS), told)
        while not feed.is_over:
            time.sleep(0.005)
            item = feed.take()
            news = item if isinstance(item, News) else news
        assert news.state == "finished" and news.ledger == told
    finally:
        reader.close()
        feed.close()


def test_findings_that_were_read_before_are_not_read_again(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = codec.finding_from_json
    monkeypatch.setattr(codec, "finding_from_json", lambda plain: read.append(plain["number"]) or original(plain))
    reader, known = RunReader(writer.folder), {}
    try:
        writer.write([], [finding(1), finding(2)])
        first = reader.findings(known=known)
        writer.write([], [replace(finding(1), clip_note="another"), finding(3)])
        second = reader.findings(known=known)
    finally:
        reader.close()
    assert read == [1, 2, 1, 3]
    assert [each.number for each in second] == [1, 2, 3]
    assert second[1] is first[1] and second[0].clip_note == "another"
