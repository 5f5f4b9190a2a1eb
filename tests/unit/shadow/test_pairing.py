"""Pairing: results in capture order, no waiting in real time, every skip counted."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from hilgui.records import Detections, Fate, Frame, FrameRef, Inference, Loss, Role
from hilgui.shadow import Paired, Pairing
from hilgui.stream import Closed

INFERENCE = Inference(Detections.none(), 1, 1, 1)


def frame(seq: int) -> Frame:
    ref = FrameRef(seq, f"#{seq}", seq / 10, datetime(2026, 1, 1, tzinfo=UTC), seq, 4, 4)
    return Frame(ref, np.zeros((4, 4, 3), np.uint8))


def seqs(pairing: Pairing) -> list[int]:
    return [item.ref.seq if isinstance(item, Loss) else item.frame.ref.seq for item in pairing]


def test_results_that_finish_out_of_order_come_out_in_order() -> None:
    pairing = Pairing()
    for seq in (2, 0, 1):
        pairing.give(seq, Paired(frame(seq), {Role.BASELINE: INFERENCE}))
    pairing.finish(3)
    assert seqs(pairing) == [0, 1, 2]


def test_a_lost_frame_keeps_its_place() -> None:
    pairing = Pairing()
    pairing.give(1, Loss(frame(1).ref, Fate.DROPPED, "torn"))
    pairing.give(0, Paired(frame(0), {}))
    pairing.finish(2)
    assert seqs(pairing) == [0, 1]


def test_a_worker_far_ahead_of_the_judge_waits() -> None:
    pairing = Pairing(ahead=2)
    through = threading.Event()

    def give() -> None:
        pairing.give(2, Paired(frame(2), {}))
        through.set()

    thread = threading.Thread(target=give)
    thread.start()
    assert not through.wait(0.05)
    pairing.give(0, Paired(frame(0), {}))
    next(iter(pairing))
    assert through.wait(5)
    thread.join()


def test_the_candidates_answer_may_come_before_the_baselines() -> None:
    pairing = Pairing()
    pairing.open(0, frame(0))
    pairing.give_part(0, Role.CANDIDATE, INFERENCE)
    pairing.give_part(0, Role.BASELINE, INFERENCE)
    pairing.finish(1)
    (paired,) = pairing
    assert isinstance(paired, Paired) and set(paired.inferences) == set(Role)
    assert pairing.candidate_skipped == 0


def test_a_skipped_frame_is_evaluated_by_the_baseline_alone_and_counted() -> None:
    pairing = Pairing()
    pairing.open(0, frame(0))
    pairing.give_part(0, Role.CANDIDATE, None)
    pairing.give_part(0, Role.BASELINE, INFERENCE)
    pairing.finish(1)
    (paired,) = pairing
    assert isinstance(paired, Paired) and set(paired.inferences) == {Role.BASELINE}
    assert pairing.candidate_skipped == 1


def test_a_candidate_that_hangs_does_not_hold_the_baseline_up() -> None:
    pairing = Pairing(patience=3)
    for seq in range(5):
        pairing.open(seq, frame(seq))
        pairing.give_part(seq, Role.BASELINE, INFERENCE)
    stream = iter(pairing)
    assert [next(stream).frame.ref.seq for _ in range(2)] == [0, 1]  # type: ignore[union-attr]
    pairing.give_part(0, Role.CANDIDATE, INFERENCE)  # too late: already counted
    assert pairing.candidate_skipped == 2


def test_aborting_wakes_everybody() -> None:
    pairing = Pairing(ahead=1)
    pairing.abort()
    assert list(pairing) == []
    with pytest.raises(Closed):
        pairing.give(5, Paired(frame(5), {}))
