"""Drift: statistics and monitors of a stream against a reference."""

from hilgui.drift.adwin import Adwin
from hilgui.drift.calibration import Calibration, calibrate, divided, usual_window
from hilgui.drift.monitor import Look, Measured, Monitor, in_words
from hilgui.drift.page_hinkley import PageHinkley
from hilgui.drift.psi import psi
from hilgui.drift.reference import Origin, Reference, make_reference, read_reference, read_references, write_reference
from hilgui.drift.sample import Sample, Sampler, Turns, feature_figures, figures_of

__all__ = [
    "Adwin",
    "Calibration",
    "Look",
    "Measured",
    "Monitor",
    "Origin",
    "PageHinkley",
    "Reference",
    "Sample",
    "Sampler",
    "Turns",
    "calibrate",
    "divided",
    "feature_figures",
    "figures_of",
    "in_words",
    "make_reference",
    "psi",
    "read_reference",
    "read_references",
    "usual_window",
    "write_reference",
]
