"""ROS 1 bags, version 2.0: chunks, each followed by the index of its messages."""

from __future__ import annotations

import struct
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hilgui.errors import SourceBroken
from hilgui.sources.bag import BagTopic, Place, damage_told, decompress, open_to_scan

MAGIC = b"#ROSBAG V2.0\n"

_MESSAGE, _BAG_HEADER, _INDEX, _CHUNK, _CONNECTION = 0x02, 0x03, 0x04, 0x05, 0x07
_MAX_HEADER_BYTES = 2**20
_KEPT_CHUNKS = 2


class _Chunk(NamedTuple):
    compression: str
    size: int  # unpacked
    data_at: int
    packed: int


class Rosbag1File:
    """One ROS 1 bag; see BagFile. A bag that was not closed (`.bag.active`) is refused: it has no index."""

    kind = "rosbag1"

    def __init__(self, path: Path) -> None:
        self.files: tuple[Path, ...] = (path,)
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._connections: dict[int, BagTopic] = {}
        self._places: dict[int, list[Place]] = defaultdict(list)
        self._chunks: dict[int, _Chunk] = {}
        self._unpacked: OrderedDict[int, bytes] = OrderedDict()
        self._file: BinaryIO
        with open_to_scan(path) as self._file:
            self._scan()

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Give the topics by name; several connections of one topic count together."""
        found: dict[str, BagTopic] = {}
        for number, topic in self._connections.items():
            before = found[topic.name].messages if topic.name in found else 0
            count = before + len(self._places.get(number, ()))
            found[topic.name] = BagTopic(topic.name, topic.type, "ros1", count, topic.schema)
        return dict(sorted(found.items()))

    def places(self, topic: str) -> list[Place]:
        """Give the places of a topic's messages in time order."""
        numbers = [number for number, each in self._connections.items() if each.name == topic]
        places = [place for number in numbers for place in self._places.get(number, ())]
        return sorted(places, key=lambda place: (place.time_ns, place.where))

    def read(self, place: Place) -> bytes:
        """Read one message; raises SourceBroken."""
        chunk_at, at = place.where
        with damage_told(self._path):
            data = self._unpack(chunk_at)
            while True:  # the index may point at the connection that a message brings along
                (head_size,) = struct.unpack_from("<I", data, at)
                fields = _fields(data[at + 4 : at + 4 + head_size])
                (size,) = struct.unpack_from("<I", data, at + 4 + head_size)
                body = at + 8 + head_size
                if fields["op"][0] != _CONNECTION:
                    break
                at = body + size
            if fields["op"][0] != _MESSAGE or body + size > len(data):
                raise ValueError(f"no message lies at {at}")
            return data[body : body + size]

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._file.close()
        self._unpacked.clear()

    def _scan(self) -> None:
        size = self._path.stat().st_size
        if self._file.read(len(MAGIC)) != MAGIC:
            raise SourceBroken(f"{self._path} is no ROS 1 bag of version 2.0; is it the right file?", path=self._path)
        place, chunk_at = len(MAGIC), -1
        while place < size:
            self._file.seek(place)
            fields, data_size = self._head(place, size)
            data_at = self._file.tell()
            op = fields["op"][0]
            if op == _BAG_HEADER and not any(fields["index_pos"]):
                raise SourceBroken(
                    f"the bag {self._path} was not closed and has no index; mend it with `rosbag reindex`",
                    path=self._path,
                )
            if op == _CHUNK:
                chunk_at = place
                unpacked = struct.unpack("<I", fields["size"])[0]
                self._chunks[place] = _Chunk(fields["compression"].decode(), unpacked, data_at, data_size)
            elif op == _INDEX:
                (number,) = struct.unpack("<I", fields["conn"])
                self._places[number] += _entries(self._file.read(data_size), chunk_at)
            elif op == _CONNECTION:
                self._connect(fields, self._file.read(data_size))
            place = data_at + data_size

    def _head(self, place: int, size: int) -> tuple[dict[str, bytes], int]:
        start = self._file.read(4)
        head_size = int.from_bytes(start, "little")
        if len(start) == 4 and head_size <= _MAX_HEADER_BYTES:
            rest = self._file.read(head_size + 4)
            if len(rest) == head_size + 4:
                data_size = int.from_bytes(rest[-4:], "little")
                if self._file.tell() + data_size <= size:
                    return _fields(rest[:-4]), data_size
        raise SourceBroken(
            f"the bag {self._path} was cut off or is damaged: the record at {place:,} of {size:,} bytes is not whole; "
            "copy it again, or try `rosbag reindex`",
            path=self._path,
        )

    def _connect(self, fields: dict[str, bytes], data: bytes) -> None:
        (number,) = struct.unpack("<I", fields["conn"])
        about = _fields(data)
        package, _, name = about["type"].decode("utf-8", "replace").rpartition("/")
        self._connections[number] = BagTopic(
            name=fields["topic"].decode("utf-8", "replace"),
            type=f"{package}/msg/{name}",
            encoding="ros1",
            messages=0,
            schema=about.get("message_definition", b""),
        )

    def _unpack(self, chunk_at: int) -> bytes:
        if chunk_at not in self._unpacked:
            chunk = self._chunks[chunk_at]
            self._file.seek(chunk.data_at)
            self._unpacked[chunk_at] = decompress(self._file.read(chunk.packed), chunk.compression, chunk.size)
            while len(self._unpacked) > _KEPT_CHUNKS:
                self._unpacked.popitem(last=False)
        self._unpacked.move_to_end(chunk_at)
        return self._unpacked[chunk_at]


def _entries(data: bytes, chunk_at: int) -> list[Place]:
    return [
        Place(seconds * 10**9 + nanoseconds, (chunk_at, at))
        for seconds, nanoseconds, at in struct.iter_unpack("<III", data)
    ]


def _fields(data: bytes) -> dict[str, bytes]:
    """Read `name=value` fields, each with its length before it."""
    fields, at = {}, 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        if at + 4 + size > len(data):
            raise ValueError("a field reaches beyond its header")
        name, equals, value = data[at + 4 : at + 4 + size].partition(b"=")
        if not equals:
            raise ValueError("a field has no value")
        fields[name.decode("utf-8", "replace")] = value
        at += 4 + size
    return fields
