"""A network, ready to be given pictures."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import HilguiError, MemoryExhausted, ModelBroken, PluginBroken
from hilgui.inference import readings
from hilgui.inference.attest import attest
from hilgui.inference.candidates import Candidates, settle
from hilgui.inference.card import InputCard, ModelCard, card_beside, read_card
from hilgui.inference.execution import Execution
from hilgui.inference.preprocess import Axes, Geometry, Preprocess, Workspace
from hilgui.inference.protocol import Adapter, Layout, Recognised, Signature
from hilgui.inference.providers import check_share, device_name
from hilgui.inference.readings import ClassScores, GridDepth, GridMaps, InputLines, Reading
from hilgui.inference.recognition import find_adapter
from hilgui.inference.session import AnySession, fingerprint, open_session
from hilgui.records import Detections, Inference, ModelFacts

log = logging.getLogger(__name__)

_LARGEST_SIDE = 8192


class Model:
    """One model file with its adapter and card; one session, shared by any number of threads."""

    def __init__(
        self,
        session: AnySession,
        adapter: Adapter,
        wanted: Preprocess,
        axes: Axes,
        nms_iou: float | None,
        facts: ModelFacts,
        reopen: Callable[[], AnySession] | None = None,
    ) -> None:
        """Put the parts together; `Model.load` is what everybody calls."""
        self.facts = facts
        self._axes = axes
        self._session: AnySession | None = session
        self._reopen = reopen  # makes the session anew, once, where memory ran out
        self._renewing = threading.Lock()
        self._restart = ""  # why it was made anew
        self._adapter = adapter
        self._wanted = wanted
        self._nms_iou = nms_iou

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        provider: str = "auto",
        precision: str = "model",
        threads: int = 1,
        spinning: bool = False,
        cuda_graph: bool = False,
        card: Path | None = None,
    ) -> Model:
        """Open a model file, find its card and adapter, run it twice on grey and attest what ran it.

        `provider`, `precision`, `cuda_graph`: see `hilgui.inference.execution`. `threads` work on one picture together;
        with one, results do not depend on how many threads call. `spinning` threads wait busily: quicker, and they eat
        the cores. `card`: use this card, not the one beside the file.

        Raises ModelBroken (file, card or tensors), ProviderMissing, PluginBroken, CallWrong.
        """
        sha256 = fingerprint(path)
        card_path = card or card_beside(path)
        read = None if card_path is None else read_card(card_path)
        if read is not None and read.sha256 not in (None, sha256):
            raise ModelBroken(
                f"{card_path} belongs to another file: it names sha256 {read.sha256}, {path} has {sha256}; "
                "get the right file, or correct the card if the change was meant",
                path=path,
            )
        asked = Execution(provider, precision, threads, spinning, cuda_graph)
        with tempfile.TemporaryDirectory(prefix="hilgui-profile-", ignore_cleanup_errors=True) as folder:
            session = open_session(path, asked, Path(folder) / "run")
            model = cls._assembled(path, sha256, session, asked, read, card_path)
            model.warm_up()
            model.warm_up()  # of the first run the profile tells mostly about memory
            profile = session.profiled()
        check_share(provider, profile, path.name)
        model.facts = replace(model.facts, attestation=attest(session, profile))
        return model

    @classmethod
    def _assembled(
        cls,
        path: Path,
        sha256: str,
        session: AnySession,
        asked: Execution,
        read: ModelCard | None,
        card_path: Path | None,
    ) -> Model:
        """Find the adapter of a session and put the model together."""
        found = find_adapter(path, session.signature, read)
        kind, recognised = found.adapter, found.recognised
        given = read or ModelCard(schema="hilgui/model.v1")
        names = class_names(path, given, recognised)
        width, height = _input_size(path, given.input, recognised)
        layout = Layout(session.signature, recognised.picture.name, width, height, len(names), names, found.parameters)
        thresholds = given.thresholds
        facts = ModelFacts(
            name=given.name or path.stem,
            path=str(path.resolve()),
            sha256=sha256,
            adapter=kind.name,
            provider=session.provider,
            device=device_name(session.provider),
            threads=asked.threads,
            threshold=recognised.threshold if thresholds.score is None else thresholds.score,
            nms_iou=recognised.nms_iou if thresholds.nms_iou is None else thresholds.nms_iou,
            input_width=width,
            input_height=height,
            classes=names,
            licence=given.licence,
            card="" if card_path is None else str(card_path.resolve()),
            task=recognised.task.value,
        )
        wanted = given.input.over(recognised.preprocess)
        return cls(
            session,
            kind(layout),
            wanted,
            recognised.picture.axes,
            facts.nms_iou,
            facts,
            reopen=lambda: open_session(path, asked),
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Give the class names; a detection's class is an index into them."""
        return self.facts.classes

    @property
    def signature(self) -> Signature:
        """Give the inputs and outputs as the file declares them."""
        assert self._session is not None
        return self._session.signature

    @property
    def threshold(self) -> float:
        """Give the score from which a detection is shown, counted and judged."""
        return self.facts.threshold

    @property
    def preprocess(self) -> Preprocess:
        """Give how pictures are prepared, as adapter and card say."""
        return self._wanted

    def workspace(self, wanted: Preprocess | None = None) -> Workspace:
        """Make the buffers of one thread; `wanted` prepares pictures otherwise, to find out what suits the model."""
        size = self.facts.input_width, self.facts.input_height
        workspace = Workspace(*size, wanted or self._wanted, self._axes)
        workspace.feeds = self._adapter.feeds(workspace.tensor)
        return workspace

    def feeds(self, image: NDArray[np.uint8], workspace: Workspace) -> dict[str, NDArray[Any]]:
        """Give what the session would be given for a picture, in buffers that the next call overwrites."""
        workspace.fill(image)
        return workspace.feeds

    def infer(self, image: NDArray[np.uint8], workspace: Workspace) -> Inference:
        """Look at one picture, BGR (H, W, 3); boxes in its pixels, clipped to it, scores from 0.001.

        Called by any thread, each with a workspace of its own. Raises ModelBroken when the network fails or gives
        shapes that its adapter cannot read, ValueError on anything that is no picture.
        """
        session = self._current()
        started = time.perf_counter_ns()
        geometry = workspace.fill(image)
        prepared = time.perf_counter_ns()
        try:
            outputs = session.run(workspace.feeds)
        except MemoryExhausted as failure:
            outputs = self._renewed(session, failure).run(workspace.feeds)
        ran = time.perf_counter_ns()
        read = self._decode(outputs)
        detections, invalid = Detections.none(), 0
        answer: dict[str, Any] = {}
        if isinstance(read, Candidates):
            detections, invalid = settle(read, geometry, self._nms_iou), read.invalid
        else:
            answer = self._placed(read, geometry)
        done = time.perf_counter_ns()
        return Inference(detections, prepared - started, ran - prepared, done - ran, invalid, **answer)

    def warm_up(self) -> None:
        """Run once on grey: first-run work is done, and outputs that the adapter cannot read are found now."""
        size = (self.facts.input_height, self.facts.input_width, 3)
        self.infer(np.full(size, 114, np.uint8), self.workspace())

    def longest_s(self) -> float:
        """Say for how long the oldest picture that the network has under way has been there."""
        session = self._session
        return 0.0 if session is None else session.longest_s()

    def terminate(self) -> None:
        """Ask what is under way to end, through the run options; `infer` then raises InferenceHung."""
        session = self._session
        if session is not None:
            session.terminate()

    def account(self) -> tuple[str, ...]:
        """Say what happened to the session, for the notes of the run."""
        if not self._restart:
            return ()
        return (f"model {self.facts.name}: its session was discarded and started once more ({self._restart})",)

    def close(self) -> None:
        """Let go of the session; a picture that another thread has under way is finished. May be called twice."""
        with self._renewing:
            self._session = None

    def _current(self) -> AnySession:
        session = self._session
        if session is None:
            with self._renewing:  # while another thread makes it anew
                session = self._session
        if session is None:
            raise ValueError(f"model {self.facts.name} is closed")
        return session

    def _renewed(self, failed: AnySession, failure: MemoryExhausted) -> AnySession:
        """Discard a session that found no memory and make it anew, once in the life of a model."""
        with self._renewing:
            if self._session is not None and self._session is not failed:
                return self._session  # another thread was quicker
            if self._session is None or self._reopen is None or self._restart:
                raise failure
            log.warning("the session of %s is discarded and started once more: %s", self.facts.name, failure)
            self._restart = str(failure)
            self._session = None  # its memory is let go of before the new one asks for it
            self._session = self._reopen()
            return self._session

    def _placed(self, read: Reading, geometry: Geometry) -> dict[str, Any]:
        """Bring what is no box to the picture, under the name of its field in an Inference."""
        width, height = self.facts.input_width, self.facts.input_height
        match read:
            case ClassScores():
                return {"classification": readings.classification(read)}
            case GridMaps():
                return {"segmentation": readings.segmentation(read, geometry, width, height)}
            case InputLines():
                return {"lanes": readings.lanes(read, geometry)}
            case GridDepth():
                return {"depth": readings.depth(read, geometry, width, height)}
            case _:
                raise PluginBroken(f"adapter {self.facts.adapter} gave {type(read).__name__}, which is no reading")

    def _decode(self, outputs: list[NDArray[np.generic]]) -> Reading:
        try:
            return self._adapter.decode(outputs)
        except HilguiError:
            raise
        except ValueError as failure:
            raise ModelBroken(
                f"model {self.facts.path}: its outputs are not those of adapter {self.facts.adapter}: {failure}",
                path=Path(self.facts.path),
            ) from failure
        except Exception as failure:  # a plug-in call: a stranger's code may raise anything
            log.warning("adapter %s failed", self.facts.adapter, exc_info=True)
            raise PluginBroken(
                f"adapter {self.facts.adapter} failed on model {self.facts.path}: {type(failure).__name__}: {failure}"
            ) from failure


def class_names(path: Path, card: ModelCard, recognised: Recognised) -> tuple[str, ...]:
    """Give the classes in the order of the outputs, the card's first; raises ModelBroken where they do not fit."""
    names = card.classes or recognised.names
    beside = path.with_suffix(".yaml").name
    if not names and not recognised.needs_names:
        return ()
    if not names:
        count = "its" if recognised.count is None else f"its {recognised.count}"
        raise ModelBroken(f"model {path} does not name {count} classes; list them in a card {beside}", path=path)
    if recognised.count is not None and len(names) != recognised.count:
        origin = "its card" if card.classes else "the file"
        raise ModelBroken(
            f"model {path} gives {recognised.count} classes, {origin} names {len(names)}; "
            f"list them in the order of the outputs in a card {beside}",
            path=path,
        )
    return names


def _input_size(path: Path, wanted: InputCard, recognised: Recognised) -> tuple[int, int]:
    sizes = []
    for side, asked, declared in (
        ("width", wanted.width, recognised.picture.width),
        ("height", wanted.height, recognised.picture.height),
    ):
        size = declared if declared is not None else asked
        if size is None:
            raise ModelBroken(
                f"model {path} takes pictures of any {side}; give input: {{{side}: ...}} in a card "
                f"{path.with_suffix('.yaml').name}",
                path=path,
            )
        if asked not in (None, size):
            raise ModelBroken(f"the card of model {path} says {side} {asked}, the file says {size}", path=path)
        if size > _LARGEST_SIDE:
            raise ModelBroken(
                f"model {path} takes pictures of {side} {size}, more than {_LARGEST_SIDE} is not supported", path=path
            )
        sizes.append(size)
    return sizes[0], sizes[1]
