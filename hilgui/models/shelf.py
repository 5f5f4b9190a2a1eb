"""The shelf: models by content, copied in, never changed; what is read is what its hash says."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hilgui.durable import sync_folder
from hilgui.errors import CallWrong, ModelBroken, RegistryBroken
from hilgui.inference import Model, try_before_first_use
from hilgui.inference.card import card_beside, read_card
from hilgui.inference.onnx_file import read_onnx
from hilgui.inference.trust import check_outside
from hilgui.models.entry import Entry, Lineage

ENTRY = "entry.json"
_PREFIX = re.compile(r"[0-9a-f]{6,64}")
_CHUNK = 1 << 20


class Shelf:
    """Folders named by the hash of what is in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(
        self,
        path: Path,
        *,
        name: str = "",
        by: str,
        command: str = "",
        made_from: tuple[str, ...] = (),
        notes: str = "",
        now: datetime | None = None,
    ) -> Entry:
        """Copy a model in, after it passed in a limited process; the same content is in once. Raises ModelBroken.

        What is tried and hashed is the copy, so that a file which changes meanwhile, or a link, cannot slip in. The
        name defaults to that of the file; what nobody told of its making is taken from its card.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".import-", dir=self._folder))
        try:
            copy = _copy(path, scratch)
            try_before_first_use(copy)
            beside = card_beside(copy)
            card = None if beside is None else read_card(beside)
            lineage = Lineage(
                by=by,
                at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
                source=str(path.resolve()),
                command=command or ("" if card is None else card.made_by),
                made_from=tuple(self.entry(one).sha256 for one in made_from),
                notes=notes or ("" if card is None else card.notes),
            )
            entry = _describe(copy, name or path.stem, lineage)
            if (self._folder / entry.sha256).exists():
                return self.entry(entry.sha256)
            (scratch / ENTRY).write_text(json.dumps(entry.as_json(), indent=1), encoding="utf-8")
            scratch.chmod(0o755)
            _sync_tree(scratch)
            scratch.rename(self._folder / entry.sha256)
            sync_folder(self._folder)
            return entry
        except ModelBroken as failure:  # say it of the file that was named, not of the copy
            raise ModelBroken(str(failure).replace(str(scratch), str(path.parent)), path=path) from failure
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # gone already where the import went well

    def entries(self) -> list[Entry]:
        """Give all models, the newest first."""
        if not self._folder.is_dir():
            return []
        found = [self._read(folder) for folder in self._folder.iterdir() if _PREFIX.fullmatch(folder.name)]
        return sorted(found, key=lambda entry: (entry.lineage.at, entry.name), reverse=True)

    def entry(self, wanted: str) -> Entry:
        """Find a model by the beginning of its hash or of that of its ONNX file, or by its name; raises CallWrong."""
        if _PREFIX.fullmatch(wanted) and (self._folder / wanted / ENTRY).is_file():
            return self._read(self._folder / wanted)
        entries = self.entries()
        found = [one for one in entries if wanted == one.name or _begins(one.sha256, wanted)]
        found = found or [one for one in entries if _begins(one.onnx_sha256, wanted)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise CallWrong(f"the registry has no model {wanted}; `hilgui models list` shows what there is")
        several = ", ".join(f"{one.name} {one.short}" for one in found)
        raise CallWrong(f"{wanted} could be {several}; give more of the hash")

    def path(self, entry: Entry) -> Path:
        """Give the ONNX file, after its bytes were compared with the hashes; raises RegistryBroken naming the file."""
        folder = self._folder / entry.sha256
        for name, expected in entry.files.items():
            file = folder / name
            try:
                found = _sha256(file)
            except OSError as failure:
                raise RegistryBroken(
                    f"{file} of model {entry.name} cannot be read: {failure}; import the model again", path=file
                ) from failure
            if found != expected:
                raise RegistryBroken(
                    f"{file} is not what was imported as {entry.name} (sha256 {found[:12]}…, not {expected[:12]}…); "
                    "somebody or the disk changed it: import the model again",
                    path=file,
                )
        if _together(entry.files) != entry.sha256:
            raise RegistryBroken(f"the entry of model {entry.name} was changed: its files do not make its hash")
        return folder / entry.model

    def _read(self, folder: Path) -> Entry:
        try:
            return Entry.from_json(json.loads((folder / ENTRY).read_text(encoding="utf-8")))
        except (OSError, ValueError) as failure:
            raise RegistryBroken(f"{folder / ENTRY} cannot be read: {failure}", path=folder / ENTRY) from failure


def _describe(copy: Path, name: str, lineage: Lineage) -> Entry:
    model = Model.load(copy, provider="cpu", threads=1)
    try:
        facts, signature = model.facts, model.signature
    finally:
        model.close()
    files = {file.relative_to(copy.parent).as_posix(): _sha256(file) for file in sorted(_files(copy.parent))}
    return Entry(
        sha256=_together(files),
        name=name,
        files=files,
        model=copy.name,
        size=sum((copy.parent / file).stat().st_size for file in files),
        adapter=facts.adapter,
        task=facts.task,
        licence=facts.licence,
        inputs=tuple(map(str, signature.inputs)),
        outputs=tuple(map(str, signature.outputs)),
        lineage=lineage,
    )


def _begins(sha256: str, wanted: str) -> bool:
    return _PREFIX.fullmatch(wanted) is not None and sha256.startswith(wanted)


def _copy(path: Path, folder: Path) -> Path:
    """Copy model, card and the weights outside it; only what lies in the model's own folder and is no link."""
    if not path.is_file():
        raise ModelBroken(f"there is no model {path}; check the path", path=path)
    facts = read_onnx(path)
    check_outside(path, facts)
    card = card_beside(path)
    for file in (path, *(path.parent / location for location in sorted(facts.external)), *([card] if card else [])):
        target = folder / file.relative_to(path.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(file, target)
        except OSError as failure:
            raise ModelBroken(f"{file} cannot be copied into the registry: {failure}", path=file) from failure
        target.chmod(0o444)
    return folder / path.name


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and file.name != ENTRY)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _together(files: dict[str, str]) -> str:
    """Give the hash of a model: its files with their names; that of the ONNX file alone where it stands alone."""
    if len(files) == 1:
        return next(iter(files.values()))
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def _sync_tree(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
