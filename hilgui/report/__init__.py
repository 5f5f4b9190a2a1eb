"""Turns a run into what leaves the bench: summary, JSONL, CSV, JUnit, HTML, comparison of two runs."""

from hilgui.report.summary import summary

__all__ = ["summary"]
