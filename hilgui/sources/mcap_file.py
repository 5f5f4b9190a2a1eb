"""MCAP: chunks of messages, found by their message indexes or, where the recorder left none, by reading them."""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hilgui.errors import SourceBroken
from hilgui.sources.bag import BagTopic, Place, damage_told, decompress, open_to_scan

MAGIC = b"\x89MCAP0\r\n"

_HEAD = struct.Struct("<BQ")
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
_KEPT_CHUNKS = 2
_MAX_MESSAGES = 50_000_000


class _Channel(NamedTuple):
    schema: int
    topic: str
    encoding: str


class McapFile:
    """One MCAP file; see BagFile.

    Every record is visited once, but chunks are unpacked only where no message index follows them.
    """

    kind = "MCAP"

    def __init__(self, path: Path) -> None:
        self.files: tuple[Path, ...] = (path,)
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._schemas: dict[int, tuple[str, bytes]] = {}
        self._channels: dict[int, _Channel] = {}
        self._places: dict[int, list[Place]] = defaultdict(list)
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._file: BinaryIO
        with open_to_scan(path) as self._file:
            self._scan()

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Give the topics by name; several channels of one topic count together."""
        found: dict[str, BagTopic] = {}
        for number, channel in self._channels.items():
            name, schema = self._schemas.get(channel.schema, ("", b""))
            before = found[channel.topic].messages if channel.topic in found else 0
            count = before + len(self._places.get(number, ()))
            found[channel.topic] = BagTopic(channel.topic, name, channel.encoding, count, schema)
        return dict(sorted(found.items()))

    def places(self, topic: str) -> list[Place]:
        """Give the places of a topic's messages in time order."""
        channels = [number for number, channel in self._channels.items() if channel.topic == topic]
        places = [place for number in channels for place in self._places.get(number, ())]
        return sorted(places, key=lambda place: (place.time_ns, place.where))

    def read(self, place: Place) -> bytes:
        """Read one message; raises SourceBroken, also where the sum of a chunk is wrong."""
        chunk_at, at = place.where
        with damage_told(self._path):
            if chunk_at < 0:
                self._file.seek(at)
                op, length = _HEAD.unpack(self._file.read(_HEAD.size))
                record = self._file.read(length)
            else:
                chunk = self._chunk(chunk_at)
                op, length = _HEAD.unpack_from(chunk, at)
                record = chunk[at + _HEAD.size : at + _HEAD.size + length]
            if op != _MESSAGE or len(record) != length or length < 22:
                raise ValueError(f"no message lies at {at}")
        return record[22:]

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._file.close()
        self._chunks.clear()

    def _scan(self) -> None:
        size = self._path.stat().st_size
        if self._file.read(len(MAGIC)) != MAGIC:
            raise SourceBroken(f"{self._path} is no MCAP file; is it the right file?", path=self._path)
        without_index: list[int] = []
        by_chunk: dict[int, set[int]] = {}
        last_chunk, is_closed, place = -1, False, len(MAGIC)
        while place + _HEAD.size <= size:
            self._file.seek(place)
            op, length = _HEAD.unpack(self._file.read(_HEAD.size))
            end = place + _HEAD.size + length
            if end > size:
                raise self._cut_off(place, size)
            if op == _CHUNK:
                last_chunk = place
                without_index.append(place)
            elif op == _MESSAGE_INDEX:
                channel = self._take_index(self._file.read(length), last_chunk)
                by_chunk.setdefault(last_chunk, set()).add(channel)
                if without_index and without_index[-1] == last_chunk:
                    without_index.pop()
            elif op in (_SCHEMA, _CHANNEL, _MESSAGE):
                head = self._file.read(length if op != _MESSAGE else min(length, 22))
                self._take(op, head, -1, place)
            elif op == _FOOTER:
                is_closed = True
                break
            place = end
        if not is_closed and place < size:
            raise self._cut_off(place, size)
        if not is_closed:
            self.notes = ("the recorder did not close the file: it was read without its index",)
        unknown = [at for at, channels in by_chunk.items() if channels - self._channels.keys()]
        for at in unknown:
            self._take_chunk(at, definitions_only=True)
        for at in without_index:
            self._take_chunk(at, definitions_only=False)

    def _cut_off(self, place: int, size: int) -> SourceBroken:
        return SourceBroken(
            f"the bag {self._path} was cut off or is damaged: the record at {place:,} of {size:,} bytes is not whole; "
            "copy it again, or save what is left with `mcap recover`",
            path=self._path,
        )

    def _take_index(self, record: bytes, chunk_at: int) -> int:
        channel, size = struct.unpack_from("<HI", record)
        if size != len(record) - 6 or size % 16 or chunk_at < 0:
            raise ValueError("a message index does not fit its chunk")
        self._places[channel] += [
            Place(time_ns, (chunk_at, at)) for time_ns, at in struct.iter_unpack("<QQ", record[6:])
        ]
        return int(channel)

    def _take_chunk(self, at: int, *, definitions_only: bool) -> None:
        for op, inner_at, record in _records(self._chunk(at)):
            if op in (_SCHEMA, _CHANNEL) or (op == _MESSAGE and not definitions_only):
                self._take(op, record, at, inner_at)

    def _take(self, op: int, record: bytes, chunk_at: int, at: int) -> None:
        if op == _MESSAGE:
            channel, _, time_ns = struct.unpack_from("<HIQ", record)
            self._places[channel].append(Place(time_ns, (chunk_at, at)))
        elif op == _CHANNEL:
            number, schema = struct.unpack_from("<HH", record)
            topic, after = _text(record, 4)
            encoding, _ = _text(record, after)
            self._channels[number] = _Channel(schema, topic, encoding)
        else:
            (number,) = struct.unpack_from("<H", record)
            name, after = _text(record, 2)
            _, after = _text(record, after)
            (size,) = struct.unpack_from("<I", record, after)
            self._schemas[number] = (name, record[after + 4 : after + 4 + size])

    def _chunk(self, at: int) -> bytes:
        if at not in self._chunks:
            self._file.seek(at)
            op, length = _HEAD.unpack(self._file.read(_HEAD.size))
            if op != _CHUNK:
                raise ValueError(f"no chunk lies at {at}")
            record = self._file.read(length)
            _, _, size, checksum = struct.unpack_from("<QQQI", record)
            compression, after = _text(record, 28)
            (packed,) = struct.unpack_from("<Q", record, after)
            data = decompress(record[after + 8 : after + 8 + packed], compression, size)
            if checksum and zlib.crc32(data) != checksum:
                raise ValueError(f"the check sum of the chunk at {at} is wrong")
            self._chunks[at] = data
            while len(self._chunks) > _KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(at)
        return self._chunks[at]


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(data):
        op, length = _HEAD.unpack_from(data, at)
        if at + _HEAD.size + length > len(data):
            raise ValueError("a record reaches beyond its chunk")
        yield op, at, data[at + _HEAD.size : at + _HEAD.size + length]
        at += _HEAD.size + length


def _text(record: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from("<I", record, at)
    if at + 4 + size > len(record):
        raise ValueError("a text reaches beyond its record")
    return record[at + 4 : at + 4 + size].decode("utf-8", "replace"), at + 4 + size
