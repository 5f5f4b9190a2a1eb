"""ROS 2 bags: a folder of SQLite or MCAP files with `metadata.yaml`, or one such file alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hilgui.errors import SourceBroken
from hilgui.sources.bag import DAMAGE, BagFile, BagTopic, Place, damage_told
from hilgui.sources.mcap_file import McapFile

METADATA = "metadata.yaml"
SQLITE_MAGIC = b"SQLite format 3\x00"

_MAX_METADATA_BYTES = 4 * 2**20


class SqliteFile:
    """One `.db3` file of rosbag2; see BagFile. The file is opened read-only."""

    kind = "rosbag2"

    def __init__(self, path: Path, unpack: Callable[[bytes], bytes] | None = None) -> None:
        self.files: tuple[Path, ...] = (path,)
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._unpack = unpack
        journal = path.with_name(f"{path.name}-wal")
        if journal.is_file() and journal.stat().st_size:
            self.notes = (f"{path.name} was not closed: what lies in {journal.name} is left out",)
        self._topics: dict[str, tuple[int, BagTopic]] = {}
        with damage_told(path):
            # The thread that prepares a run opens it, the one that captures reads it: never two at once.
            address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            self._base = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._base.execute("PRAGMA trusted_schema = OFF")
        try:
            with damage_told(path):
                self._read_topics()
        except SourceBroken:
            self._base.close()
            raise

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Give the topics by name."""
        return {name: topic for name, (_, topic) in self._topics.items()}

    def places(self, topic: str) -> list[Place]:
        """Give the places of a topic's messages in time order."""
        number, _ = self._topics[topic]
        ask = "SELECT timestamp, id FROM messages WHERE topic_id = ? ORDER BY timestamp, id"
        with damage_told(self._path):
            return [Place(int(time_ns), (int(row),)) for time_ns, row in self._base.execute(ask, (number,))]

    def read(self, place: Place) -> bytes:
        """Read one message; raises SourceBroken."""
        with damage_told(self._path):
            row = self._base.execute("SELECT data FROM messages WHERE id = ?", place.where).fetchone()
            if row is None or not isinstance(row[0], bytes):
                raise ValueError(f"message {place.where[0]} is missing")
            return row[0] if self._unpack is None else self._unpack(row[0])

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._base.close()

    def _read_topics(self) -> None:
        counts = dict(self._base.execute("SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id"))
        rows = self._base.execute("SELECT id, name, type, serialization_format FROM topics ORDER BY name")
        for number, name, kind, encoding in rows:
            topic = BagTopic(str(name), str(kind), str(encoding), int(counts.get(number, 0)))
            self._topics[topic.name] = (int(number), topic)


class Rosbag2Folder:
    """A folder of files that follow each other; see BagFile."""

    kind = "rosbag2"

    def __init__(self, folder: Path) -> None:
        self._parts: list[BagFile] = []
        notes: list[str] = []
        try:
            for path, unpack in _parts_of(folder, notes):
                self._parts.append(McapFile(path) if path.suffix == ".mcap" else SqliteFile(path, unpack))
        except SourceBroken:
            self.close()
            raise
        self.files: tuple[Path, ...] = tuple(path for part in self._parts for path in part.files)
        self.notes: tuple[str, ...] = (*notes, *(note for part in self._parts for note in part.notes))

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Give the topics of all files by name."""
        found: dict[str, BagTopic] = {}
        for part in self._parts:
            for name, topic in part.topics.items():
                before = found[name].messages if name in found else 0
                found[name] = BagTopic(name, topic.type, topic.encoding, before + topic.messages, topic.schema)
        return dict(sorted(found.items()))

    def places(self, topic: str) -> list[Place]:
        """Give the places of a topic's messages in time order."""
        places = [
            Place(place.time_ns, (number, *place.where))
            for number, part in enumerate(self._parts)
            if topic in part.topics
            for place in part.places(topic)
        ]
        return sorted(places, key=lambda place: (place.time_ns, place.where))

    def read(self, place: Place) -> bytes:
        """Read one message; raises SourceBroken."""
        return self._parts[place.where[0]].read(Place(place.time_ns, place.where[1:]))

    def close(self) -> None:
        """Let go of the files; may be called twice."""
        for part in self._parts:
            part.close()


def is_bag_folder(folder: Path) -> bool:
    """Say whether a folder is a rosbag2: it has `metadata.yaml` of one, or nothing but bag files."""
    metadata = folder / METADATA
    if metadata.is_file():
        with suppress(OSError), metadata.open("rb") as file:
            return b"rosbag2_bagfile_information" in file.read(4096)
        return False
    return bool(_bag_files(folder))


def is_bag_sqlite(path: Path) -> bool:
    """Say whether a SQLite file has the tables of rosbag2."""
    with suppress(*DAMAGE):
        base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            names = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            base.close()
        return {"topics", "messages"} <= names
    return False


def _bag_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (".db3", ".mcap") and path.is_file())
    except OSError:
        return []


def _parts_of(folder: Path, notes: list[str]) -> list[tuple[Path, Callable[[bytes], bytes] | None]]:
    metadata = folder / METADATA
    if not metadata.is_file():
        notes.append(f"the folder has no {METADATA}: its files were taken in the order of their names")
        return [(path, None) for path in _bag_files(folder)]
    about = _read_metadata(metadata)
    mode, method = str(about.get("compression_mode") or "").lower(), str(about.get("compression_format") or "")
    if mode == "file":
        raise SourceBroken(
            f"the files of the bag {folder} are compressed as a whole; unpack them with `ros2 bag convert`", path=folder
        )
    if mode == "message" and method != "zstd":
        raise SourceBroken(
            f"the messages of the bag {folder} are compressed with {method!r}; zstd is read", path=folder
        )
    paths = [folder / Path(str(name)).name for name in about.get("relative_file_paths", ())]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        what = ", ".join(missing) if missing else "every file"
        raise SourceBroken(f"the bag {folder} lacks {what}; copy it again", path=folder)
    return [(path, _unpack_zstd if mode == "message" else None) for path in paths]


def _read_metadata(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    with damage_told(path):
        if path.stat().st_size > _MAX_METADATA_BYTES:
            raise ValueError("it is far too large")
        try:
            about = YAML(typ="safe").load(path.read_text("utf-8"))["rosbag2_bagfile_information"]
        except YAMLError as failure:
            raise ValueError(str(failure).splitlines()[0]) from failure
        if not isinstance(about, dict):
            raise ValueError("it describes no bag")
        return about


def _unpack_zstd(data: bytes) -> bytes:
    import zstandard

    from hilgui.sources.bag import MAX_CHUNK_BYTES

    try:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(data)
        return bytes(reader.read(MAX_CHUNK_BYTES))
    except zstandard.ZstdError as failure:
        raise ValueError(str(failure)) from failure
