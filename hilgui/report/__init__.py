"""Turns a run into what leaves the bench: summary, JSONL, CSV, JUnit, HTML, comparison of two runs."""

from hilgui.report.attested import attested_in_words, bench_check_in_words, model_in_words
from hilgui.report.compare import compare_runs, compared_in_words
from hilgui.report.differences import compare_many, differences_in_words
from hilgui.report.evaluate import Changes, Evaluated, Rejudged, evaluate_runs
from hilgui.report.protocol import Exporter, export_run, formats
from hilgui.report.summary import summary
from hilgui.report.words import comparison_in_words

__all__ = [
    "Changes",
    "Evaluated",
    "Exporter",
    "Rejudged",
    "attested_in_words",
    "bench_check_in_words",
    "compare_many",
    "compare_runs",
    "compared_in_words",
    "comparison_in_words",
    "differences_in_words",
    "evaluate_runs",
    "export_run",
    "formats",
    "model_in_words",
    "summary",
]
