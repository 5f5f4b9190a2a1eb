"""When the images of a folder were taken: from a file beside them, from their names, or from EXIF.

A source of stamps counts only when it knows every image and the stamps ascend in the order of the names.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hilgui.sources.image_header import taken_at

SIDECARS = ("timestamps.txt", "timestamps.csv", "stamps.csv", "stamps.txt", "times.txt", "rgb.txt", "data.csv")

_MAX_SIDECAR_BYTES = 64 * 2**20
_EXIF_BYTES = 2**17
_EARLIEST_NS, _LATEST_NS = 946_684_800 * 10**9, 4_102_444_800 * 10**9  # 2000 to 2100
_EPOCH = re.compile(r"(?<![\d.])(?:(\d{19})|(\d{16})|(\d{13})|(\d{10})(?:\.(\d{1,9}))?)(?![\d])")
_ISO = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)[T_ .-]?([0-2]\d)[-:_.h]?([0-5]\d)[-:_.m]?([0-6]\d)"
    r"(?:[.,_-]?(\d{1,9}))?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Stamps:
    """Stamps in nanoseconds since 1970 (`is_epoch`) or since some start."""

    ns: tuple[int, ...]
    origin: str  # "timestamps.txt", "file names", "EXIF"

    @property
    def is_epoch(self) -> bool:
        """Say whether the stamps are a date."""
        return bool(self.ns) and _EARLIEST_NS <= self.ns[0] <= _LATEST_NS


def find_stamps(files: Sequence[Path], folders: Sequence[Path]) -> Stamps | None:
    """Look in the files of `folders`, then in the names, then in the images; None where nothing knows them all."""
    for folder in folders:
        for name in SIDECARS:
            path = folder / name
            if path.is_file() and (stamps := _ascending(_from_sidecar(path, files), name)) is not None:
                return stamps
    stamps = _ascending([stamp_of_name(path.stem) for path in files], "file names")
    return stamps or _ascending([_from_exif(path) for path in files], "EXIF")


def stamp_of_name(stem: str) -> int | None:
    """Read the stamp in a file name: 10 (s), 13 (ms), 16 (µs) or 19 (ns) digits since 1970, or date and time (UTC)."""
    return _epoch(stem) or _iso(stem)


def _ascending(found: Sequence[int | None], origin: str) -> Stamps | None:
    known = [stamp for stamp in found if stamp is not None]
    if not known or len(known) < len(found) or any(b <= a for a, b in itertools.pairwise(known)):
        return None
    return Stamps(tuple(known), origin)


def _from_sidecar(path: Path, files: Sequence[Path]) -> list[int | None]:
    """Read lines of "stamp" or of "name, stamp" in any order of the two."""
    try:
        if path.stat().st_size > _MAX_SIDECAR_BYTES:
            return []
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    lines = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    names = {file.name: place for place, file in enumerate(files)} | {
        file.stem: place for place, file in enumerate(files)
    }
    found: list[int | None] = [None] * len(files)
    by_order: list[int | None] = []
    for line in lines:
        parts = _parts_of(line)
        place = next(
            (names[base] for part in parts if (base := part.replace("\\", "/").rpartition("/")[2]) in names), None
        )
        rest = [part for part in parts if part.replace("\\", "/").rpartition("/")[2] not in names] or parts
        stamp = next((value for part in rest if (value := _number_or_date(part)) is not None), None)
        if place is not None and len(parts) > 1:
            found[place] = stamp
        elif stamp is not None:
            by_order.append(stamp)
    if any(stamp is not None for stamp in found):
        return found
    if len(by_order) == len(files):
        return list(by_order)
    # A drive that was copied in part: the names are the line numbers, as in KITTI raw.
    numbers = [int(file.stem) if file.stem.isdigit() else -1 for file in files]
    return [by_order[number] if 0 <= number < len(by_order) else None for number in numbers]


def _parts_of(line: str) -> list[str]:
    """Split at commas or tabs, else at the blank before a file name; a date with a blank inside stays whole."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d[ T][\d:.]+Z?", line):
        return [line]
    return [part.strip() for part in re.split(r"[,;\t]" if re.search(r"[,;\t]", line) else r"\s+(?=\S*\.\w+$)", line)]


def _number_or_date(text: str) -> int | None:
    stamp = _iso(text) if re.match(r"\d{4}-\d\d-\d\d", text) else _epoch(text)
    if stamp is not None:
        return stamp
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not 0 <= seconds < 1e19:
        return None
    return int(text) if text.isdigit() and len(text) > 10 else round(seconds * 1e9)


def _epoch(text: str) -> int | None:
    for match in _EPOCH.finditer(text):
        nano, micro, milli, seconds, fraction = match.groups()
        if seconds:
            stamp = int(seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))
        else:
            stamp = int(nano or 0) or int(micro or 0) * 10**3 or int(milli or 0) * 10**6
        if _EARLIEST_NS <= stamp <= _LATEST_NS:
            return stamp
    return None


def _iso(text: str) -> int | None:
    match = _ISO.search(text)
    if match is None:
        return None
    try:
        when = datetime(*(int(part) for part in match.groups()[:6]), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return int(when.timestamp()) * 10**9 + int((match[7] or "0").ljust(9, "0"))


def _from_exif(path: Path) -> int | None:
    if path.suffix.lower() not in (".jpg", ".jpeg", ".tif", ".tiff"):
        return None
    try:
        with path.open("rb") as file:
            when = taken_at(file.read(_EXIF_BYTES))
    except OSError:
        return None
    return None if when is None else round(when.timestamp() * 1e6) * 1000
