"""Every error that hilgui raises on purpose.

    HilguiError
    ├── CallWrong            the call cannot be understood: unknown class name, two runs expected, one given
    └── BenchBroken          the bench cannot do the work
        ├── SourceBroken     recording missing, truncated, not a recording
        ├── TruthBroken      label file missing, a comma lost, boxes without a category
        ├── ModelBroken      not an ONNX file, tensors that no adapter knows, card that contradicts the file
        │   ├── MemoryExhausted  the GPU has no room for one more buffer
        │   └── InferenceHung    a picture was not done in time; the run options ended it
        ├── ProviderMissing  CUDA was asked for and the runtime fell back to the CPU
        ├── StoreBroken      run folder unreadable, disk full, a run that another process is writing
        ├── EngineLost       the engine process died or fell silent
        └── PluginBroken     a plug-in that does not import or raises

A red result (a missed pedestrian, a lost frame) is a value, never one of these.
"""

from __future__ import annotations

from pathlib import Path


class HilguiError(Exception):
    """Root of the tree: one sentence for the operator (what, which, what to try)."""

    exit_code = 4


class CallWrong(HilguiError):
    """The request contradicts itself or names something that does not exist."""

    exit_code = 2


class BenchBroken(HilguiError):
    """Something the bench needs is missing or damaged; `path` names it where it is a file."""

    def __init__(self, sentence: str, *, path: Path | None = None, line: int | None = None) -> None:
        """Keep the sentence for people and the fields for programs."""
        super().__init__(sentence)
        self.path = path
        self.line = line


class SourceBroken(BenchBroken):
    """A recording that cannot be opened or read to its end."""


class TruthBroken(BenchBroken):
    """A label file that cannot be read, or that belongs to another recording."""


class ModelBroken(BenchBroken):
    """A model file, or its card, that cannot be used."""


class MemoryExhausted(ModelBroken):
    """No memory for one picture; a session that is made anew may find it again."""


class InferenceHung(ModelBroken):
    """A picture that was not done in time and was ended through the run options."""


class ProviderMissing(BenchBroken):
    """The execution provider that was asked for is not the one that would run."""


class StoreBroken(BenchBroken):
    """A run folder that cannot be read or written."""


class EngineLost(BenchBroken):
    """The engine process ended without finishing its run."""


class PluginBroken(BenchBroken):
    """A plug-in that cannot be imported or broke its contract."""
