"""A replay as the operator types it: checked field by field, and written as the command that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilgui.errors import HilguiError
from hilgui.gui.typed_path import is_file, is_there, typed_path
from hilgui.settings import Settings

if TYPE_CHECKING:
    from hilgui.pipeline import RunPlan

PROVIDERS = ("auto", "cpu", "cuda", "tensorrt", "openvino", "directml", "coreml")
SPEEDS = ("max", "realtime", "0.5", "0.25", "2")
NO_TRUTH = "none"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Texts of the form; an empty `candidate` or `classes` is allowed, an empty `truth` means "none"."""

    source: str = ""
    truth: str = ""
    baseline: str = ""
    candidate: str = ""
    provider: str = "auto"
    classes: str = ""
    speed: str = "max"
    fps: str = ""  # frame rate of a folder of images; empty: an unordered set
    topic: str = ""  # camera of a bag; "all", or several with commas: side by side
    beside: str = ""  # further cameras of the drive, FILE or FILE@SECONDS later, with semicolons
    profile: str = ""  # of the camera; empty: the one beside the recording
    can: str = ""  # log of the vehicle's bus
    dbc: str = ""
    operator: str = ""
    device_under_test: str = ""
    tickets: str = ""
    notes: str = ""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Split the class names at commas."""
        return _parts(self.classes)

    @property
    def cameras_beside(self) -> tuple[str, ...]:
        """Split the further cameras at semicolons."""
        return tuple(part for part in (piece.strip() for piece in self.beside.split(";")) if part)

    @property
    def has_truth(self) -> bool:
        """Say whether labels are named; "none" says that there are none, as on the command line."""
        return self.truth not in ("", NO_TRUTH)

    @property
    def ticket_ids(self) -> tuple[str, ...]:
        """Split the ticket and requirement ids at commas."""
        return _parts(self.tickets)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a request."""

    field: str  # name in RunRequest
    sentence: str


def problems(request: RunRequest) -> list[Problem]:
    """Check what can be checked without opening anything large, in the order of the form."""
    return [Problem(field, sentence) for field, sentence in _problems(request)]


def command_words(request: RunRequest) -> list[str]:
    """Give the command that does the same; what equals a default is left out, except the truth.

    The truth is always said, so that labels found beside a recording cannot change what the command means.
    """
    words = ["hilgui", "replay", request.source or "SOURCE", "--baseline", request.baseline or "MODEL"]
    if request.candidate:
        words += ["--candidate", request.candidate]
    words += ["--truth", request.truth or NO_TRUTH]
    if request.provider != "auto":
        words += ["--provider", request.provider]
    if request.class_names:
        words += ["--classes", ",".join(request.class_names)]
    if request.speed != "max":
        words += ["--speed", request.speed]
    if request.fps:
        words += ["--fps", request.fps]
    for camera in request.cameras_beside:
        words += ["--beside", camera]
    for option in ("topic", "profile", "can", "dbc"):
        if value := getattr(request, option):
            words += [f"--{option}", value]
    if request.operator:
        words += ["--operator", request.operator]
    if request.device_under_test:
        words += ["--dut", request.device_under_test]
    for ticket in request.ticket_ids:
        words += ["--ticket", ticket]
    if request.notes:
        words += ["--notes", request.notes]
    return words


def command_text(request: RunRequest) -> str:
    """Give the command as one pastes it into a shell."""
    return shlex.join(command_words(request))


def is_source(text: str) -> bool:
    """Say whether a text names a recording that is there, or a camera; whether the camera answers shows the run."""
    from hilgui.sources.camera import is_camera

    path = typed_path(text)
    return is_camera(path) or is_there(path)


def plan_of(request: RunRequest, settings: Settings) -> RunPlan:
    """Turn a request without problems into what the engine takes."""
    from hilgui.pipeline import RunPlan
    from hilgui.records import People
    from hilgui.sources.several import beside_of

    beside = [beside_of(text) for text in request.cameras_beside]
    return RunPlan(
        source=typed_path(request.source),
        baseline=typed_path(request.baseline),
        candidate=typed_path(request.candidate) if request.candidate else None,
        truth=typed_path(request.truth) if request.has_truth else None,
        out=settings.runs,
        settings=settings.model_copy(update={"provider": request.provider}),
        provider=request.provider,
        classes=request.class_names,
        speed=request.speed,
        fps=float(request.fps) if request.fps else None,
        topic=request.topic or None,
        beside=tuple(typed_path(str(path)) for path, _ in beside),
        offsets_s=tuple(offset_s for _, offset_s in beside),
        profile=typed_path(request.profile) if request.profile else None,
        can=(typed_path(request.can),) if request.can else (),
        dbc=(typed_path(request.dbc),) if request.dbc else (),
        people=People(
            operator=request.operator or settings.operator,
            bench=settings.bench,
            device_under_test=request.device_under_test or settings.device_under_test,
            notes=request.notes,
            tickets=request.ticket_ids,
        ),
        command=tuple(command_words(request)),
    )


def _problems(request: RunRequest) -> Iterator[tuple[str, str]]:
    if not request.source:
        yield "source", "Choose a recording (a video file or a folder of images), or type a camera: camera:uvc:0."
    elif not is_source(request.source):
        yield "source", f"There is no {_short(request.source)}; check the path."
    if request.has_truth and not is_there(typed_path(request.truth)):
        yield "truth", f"There are no labels {_short(request.truth)}; check the path, or leave it empty to run without."
    if not request.baseline:
        yield "baseline", "Choose the model in service, an .onnx file."
    elif (sentence := _model_problem(request.baseline)) is not None:
        yield "baseline", sentence
    if request.candidate and (sentence := _model_problem(request.candidate)) is not None:
        yield "candidate", sentence
    if (sentence := _speed_problem(request.speed)) is not None:
        yield "speed", sentence
    yield from (("beside", sentence) for sentence in _beside_problems(request))
    for name, text in (("profile", request.profile), ("can", request.can), ("dbc", request.dbc)):
        if text and not is_file(typed_path(text)):
            yield name, f"There is no file {_short(text)}; check the path, or leave it empty."
    if bool(request.can) != bool(request.dbc):
        yield ("dbc" if request.can else "can"), "A bus log needs the DBC that decodes it, and a DBC its log."
    if request.fps and not _is_rate(request.fps):
        yield "fps", f"{request.fps!r} is not a frame rate; type a number above 0, or leave it empty."


def _beside_problems(request: RunRequest) -> Iterator[str]:
    from hilgui.sources.several import beside_of

    for text in request.cameras_beside:
        try:
            path, _ = beside_of(text)
        except HilguiError as failure:
            yield f"{str(failure)[:1].upper()}{str(failure)[1:]}."
            continue
        if not is_there(typed_path(str(path))):
            yield f"There is no camera {_short(text)}; write FILE, or FILE@SECONDS that it begins later."


def _model_problem(text: str) -> str | None:
    path = typed_path(text)
    if not is_file(path):
        return f"There is no model {_short(text)}; check the path."
    if path.suffix.lower() != ".onnx":
        return f"{path.name} is not an .onnx file; export the model to ONNX first."
    return None


def _speed_problem(text: str) -> str | None:
    from hilgui.pipeline import speed_factor

    try:
        speed_factor(text)
    except HilguiError as failure:
        return f"{str(failure)[:1].upper()}{str(failure)[1:]}."
    return None


def _short(text: str) -> str:
    """Name a path by its last two parts: the whole one stands in the line above."""
    parts = Path(text).parts
    return text if len(parts) <= 2 else str(Path("…", *parts[-2:]))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) <= 1000
    except ValueError:
        return False
