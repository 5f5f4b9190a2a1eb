"""What a report says of the bench: fit, not fit and why, or that nobody looked."""

from __future__ import annotations

from dataclasses import replace

from hilgui.report import bench_check_in_words
from tests.unit.report.night_run import header

_CHECK = {
    "utc": "2026-11-25T08:00:00+00:00",
    "rig": "",
    "what": ["golden clip: fit, 40 frames", "board: unfit, silent"],
}


def test_a_run_says_how_the_bench_was_or_that_nobody_looked() -> None:
    assert bench_check_in_words(header()) == "nobody checked the bench in the 24 hours before"
    fit = replace(header(), bench_check={**_CHECK, "verdict": "fit"})
    assert bench_check_in_words(fit) == "self-check of the bench at 2026-11-25T08:00:00+00:00: fit"
    unfit = replace(header(), bench_check={**_CHECK, "verdict": "unfit"})
    assert bench_check_in_words(unfit).endswith(": unfit (board: unfit, silent)")
