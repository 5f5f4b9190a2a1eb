"""A wall clock that is set is told; one that is turned slowly is not."""

from __future__ import annotations

import pytest

from hilgui.wall_clock import WallClock

_S = 1_000_000_000


class _Clocks:
    def __init__(self) -> None:
        self.wall_ns, self.now_ns = 1_700_000_000 * _S, 5 * _S

    def made(self) -> WallClock:
        return WallClock(lambda: self.wall_ns, lambda: self.now_ns)

    def go(self, seconds: float, step_s: float = 0.0) -> None:
        self.now_ns += round(seconds * _S)
        self.wall_ns += round((seconds + step_s) * _S)


@pytest.mark.parametrize(
    ("step_s", "said"), [(3600.0, "forward by 3,600.0 s"), (-3600.0, "back by 3,600.0 s"), (-1.0, "back by 1.0 s")]
)
def test_a_step_is_told_once(step_s: float, said: str) -> None:
    clocks = _Clocks()
    clock = clocks.made()
    clocks.go(10.0)
    assert not clock.look()
    clocks.go(0.2, step_s)
    assert said in clock.look()
    clocks.go(10.0)
    assert not clock.look()


def test_a_clock_that_a_time_service_turns_slowly_is_not_told() -> None:
    clocks = _Clocks()
    clock = clocks.made()
    clocks.go(8 * 3600.0, 8 * 3600 * 0.0005)
    assert not clock.look()
