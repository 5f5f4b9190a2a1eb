"""Stop tokens, crews, pace and meters."""

from __future__ import annotations

import threading

import pytest

from hilgui.stream import Channel, Crew, Pace, RateMeter, StopToken


def test_only_the_first_reason_to_stop_is_kept() -> None:
    stop = StopToken()
    stop.stop("first")
    stop.stop("second")
    assert stop.is_set and stop.reason == "first"


def test_callbacks_run_when_stopped_and_at_once_when_too_late() -> None:
    stop, told = StopToken(), []
    stop.on_stop(lambda: told.append("before"))
    stop.stop("now")
    stop.on_stop(lambda: told.append("after"))
    assert told == ["before", "after"]


def test_the_first_failure_of_a_crew_stops_the_others_and_is_kept() -> None:
    stop = StopToken()
    crew = Crew(stop)
    channel: Channel[int] = Channel(1)
    stop.on_stop(channel.abort)
    failure = RuntimeError("first cause")

    def fail() -> None:
        raise failure

    crew.start("waits", lambda: list(channel) and None)
    crew.start("fails", fail)
    crew.join()
    assert crew.failure is failure
    assert stop.is_set


def test_a_worker_that_meets_a_closed_channel_has_finished() -> None:
    crew = Crew(StopToken())
    channel: Channel[int] = Channel(1)
    channel.close()
    crew.start("takes", lambda: channel.put(1) and None)
    crew.join()
    assert crew.failure is None


class Clock:
    """A clock that a stop token's wait moves on."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s


class SleepingStop(StopToken):
    """Waits by moving the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout_s: float) -> bool:
        self._clock.now_s += timeout_s
        self._clock.slept.append(round(timeout_s, 6))
        return False


@pytest.mark.parametrize(("factor", "period_s"), [(1.0, 0.1), (2.0, 0.05), (0.5, 0.2)])
def test_a_recording_plays_at_its_own_speed(factor: float, period_s: float) -> None:
    clock = Clock()
    pace = Pace(factor, SleepingStop(clock), clock)
    for index in range(4):
        pace.wait_until_due(index * 0.1)
    assert clock.slept == [period_s] * 3


def test_a_long_stall_is_not_caught_up_in_a_burst() -> None:
    clock = Clock()
    pace = Pace(1.0, SleepingStop(clock), clock)
    pace.wait_until_due(0.0)
    clock.now_s += 30.0
    pace.wait_until_due(0.1)
    pace.wait_until_due(0.2)
    assert clock.slept == [0.1]


def test_a_speed_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Pace(0.0, StopToken())


def test_the_rate_is_events_per_second_of_the_last_window() -> None:
    meter = RateMeter(window_s=1.0)
    assert meter.rate == 0.0
    for tick in range(100):
        meter.tick(tick * 0.1)
    assert meter.rate == pytest.approx(10.0)


def test_a_batch_that_arrives_at_once_has_no_rate() -> None:
    meter = RateMeter()
    for _ in range(30):
        meter.tick(5.0)
    assert meter.rate == 0.0


def test_stopping_ends_a_wait() -> None:
    stop = StopToken()
    threading.Timer(0.01, stop.stop, ("enough",)).start()
    assert stop.wait(5)
