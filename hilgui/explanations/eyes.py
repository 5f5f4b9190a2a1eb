"""A model that looks at many changed pictures, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hilgui.explanations.target import Image
from hilgui.inference import Model, Workspace
from hilgui.records import Detections
from hilgui.stream import in_order

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Eyes:
    """Owns the threads, not the model. Networks take one picture a call: pictures go side by side, not in batches.

    With one thread in the network, as models are opened here, answers do not depend on how many look.
    """

    def __init__(self, model: Model, table: NDArray[np.int32], workers: int | None = None) -> None:
        """Take a model; `table` gives the common number of each of its classes."""
        self._model = model
        self._table = table
        workers = workers or min(4, cpu_count() or 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="explain")
        self._workspaces: SimpleQueue[Workspace] = SimpleQueue()
        for _ in range(workers):
            self._workspaces.put(model.workspace())
        self._ahead = 2 * workers

    def look(self, image: Image) -> Detections:
        """Show one picture, on any thread; classes are the common ones. Raises ModelBroken."""
        workspace = self._workspaces.get()
        try:
            said = self._model.infer(image, workspace).detections
        finally:
            self._workspaces.put(workspace)
        return said.with_classes(self._table[said.classes])

    def over(self, work: Callable[[Asked], Answer], items: Iterable[Asked]) -> Iterator[Answer]:
        """Do some work, which may look, for each item on the threads; the answers come in the order of the items."""
        return in_order(self._pool, (partial(work, item) for item in items), self._ahead)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
