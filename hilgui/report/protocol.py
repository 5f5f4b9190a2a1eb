"""What an exporter is, and how every export reaches the disk: written beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol, TextIO

from hilgui import plugins
from hilgui.errors import CallWrong, StoreBroken
from hilgui.store import RunReader

Progress = Callable[[int, int], None]  # done, total; called on the thread that exports


class Exporter(Protocol):
    """Writes one run in one format; announced in the group `hilgui.exporters`."""

    name: ClassVar[str]  # what `--format` calls it
    suffix: ClassVar[str]
    file_name: ClassVar[str]  # inside the run folder, where no other place is given

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the run and give the path of the file, which is replaced at once or not at all.

        `out` is a file; a folder gets the file under the run's id and its usual name, None means the run folder.
        A format of several files makes a folder of that name instead, and `out` names the folder.
        Works on a running run too, with the frames stored so far. Raises StoreBroken where a file cannot be read or
        written.
        """
        ...


def silent(_done: int, _total: int) -> None:
    """Report progress to nobody."""


def formats() -> tuple[str, ...]:
    """Name the formats that `export_run` knows."""
    return tuple(sorted(plugins.working("hilgui.exporters")))


def export_run(reader: RunReader, form: str, out: Path | None = None, progress: Progress = silent) -> Path:
    """Export a run in a format; see `Exporter.export`.

    Raises CallWrong for a format that nobody announces, and for a file in a folder that does not exist.
    """
    makers = plugins.working("hilgui.exporters")
    if form not in makers:
        raise CallWrong(f"there is no export format {form!r}; there are {', '.join(formats())}")
    if out is not None and not out.parent.exists():
        raise CallWrong(f"there is no folder {out.parent} for the export {out.name}; make it or choose another place")
    exporter: Exporter = makers[form]()
    return exporter.export(reader, out, progress)


def place_for(reader: RunReader, out: Path | None, file_name: str) -> Path:
    """Choose the file of an export as `Exporter.export` promises."""
    if out is None:
        return reader.folder / file_name
    return out / f"{reader.header.run_id}-{file_name}" if out.is_dir() else out


@contextmanager
def replacing(out: Path) -> Iterator[TextIO]:
    """Open a text file that takes its name only when everything was written; lines end as they are given.

    Raises StoreBroken where the disk refuses; nothing is left behind then.
    """
    with replacing_file(out) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def replacing_file(out: Path) -> Iterator[Path]:
    """Name a file beside `out`, of the same suffix, that takes its place once it was written; as `replacing`."""
    unfinished = out.with_name(f".{out.stem}.{os.getpid()}.part{out.suffix}")
    try:
        try:
            yield unfinished
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as failure:
        raise _refused(out, failure) from failure


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """Make a folder beside `out` that takes its place once it is filled; an earlier export there goes.

    Raises CallWrong where `out` is a file, StoreBroken where the disk refuses; nothing is left behind then.
    """
    if out.is_file():
        raise CallWrong(f"{out} is a file; this export is a folder, give another name")
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        try:
            unfinished.mkdir()
            yield unfinished
            if out.is_dir():
                shutil.rmtree(out)
            unfinished.replace(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as failure:
        raise _refused(out, failure) from failure


def _refused(out: Path, failure: OSError) -> StoreBroken:
    return StoreBroken(
        f"the export {out} cannot be written: {failure.strerror or failure}; choose another place with --out", path=out
    )
