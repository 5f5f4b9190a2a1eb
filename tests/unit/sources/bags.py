"""Writes small bags whose pictures carry their number."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap.writer import CompressionType, Writer
from numpy.typing import NDArray
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from tests.corpus.numbers import HEIGHT, WIDTH, luma

FRAMES = 12
START_NS = 1_700_000_000_000_000_000
CAMERA, INFO = "/front/image/compressed", "/front/camera_info"


def stamp_of(number: int) -> int:
    return START_NS + number * 100_000_000


def bgr(number: int) -> NDArray[np.uint8]:
    return np.repeat(luma(number)[:, :, None], 3, axis=2)


def jpeg(number: int) -> bytes:
    return cv2.imencode(".jpg", bgr(number))[1].tobytes()


def write_rosbag2(folder: Path, *, sqlite: bool = False, cameras: tuple[str, ...] = (CAMERA,), raw: str = "") -> Path:
    store = get_typestore(Stores.ROS2_HUMBLE)
    plugin = StoragePlugin.SQLITE3 if sqlite else StoragePlugin.MCAP
    with Writer2(folder, version=9, storage_plugin=plugin) as writer:
        _fill(writer, store, store.serialize_cdr, cameras, raw)
    return folder


def write_rosbag1(
    path: Path,
    *,
    cameras: tuple[str, ...] = (CAMERA,),
    raw: str = "",
    compression: Writer1.CompressionFormat | None = None,
) -> Path:
    store = get_typestore(Stores.ROS1_NOETIC)
    writer = Writer1(path)
    if compression is not None:
        writer.set_compression(compression)
    with writer:
        _fill(writer, store, store.serialize_ros1, cameras, raw, ros1=True)
    return path


def _fill(
    writer: Any, store: Any, serialize: Callable[..., Any], cameras: tuple[str, ...], raw: str, *, ros1: bool = False
) -> None:
    types = store.types
    name = "sensor_msgs/msg/Image" if raw else "sensor_msgs/msg/CompressedImage"
    known = {topic: writer.add_connection(topic, name, typestore=store) for topic in cameras}
    word = writer.add_connection("/note", "std_msgs/msg/String", typestore=store)
    for number in range(FRAMES):
        time_ns = stamp_of(number)
        stamp = types["builtin_interfaces/msg/Time"](sec=time_ns // 10**9, nanosec=time_ns % 10**9)
        more = {"seq": number} if ros1 else {}
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="front", **more)
        for connection in known.values():
            if raw:
                message = types[name](
                    header=header,
                    height=HEIGHT,
                    width=WIDTH,
                    encoding=raw,
                    is_bigendian=0,
                    step=WIDTH * (3 if raw.startswith(("bgr", "rgb")) else 1) * (2 if raw.endswith("16") else 1),
                    data=samples(number, raw),
                )
            else:
                message = types[name](header=header, format="jpeg", data=np.frombuffer(jpeg(number), np.uint8))
            writer.write(connection, time_ns, serialize(message, name))
        text = types["std_msgs/msg/String"](data="hello")
        writer.write(word, time_ns, serialize(text, "std_msgs/msg/String"))


def samples(number: int, encoding: str) -> NDArray[np.uint8]:
    if encoding.startswith(("bgr", "rgb")):
        return bgr(number).ravel()
    if encoding.endswith("16"):
        return (luma(number).astype(np.uint16) << 4).view(np.uint8).ravel()
    return luma(number).ravel()


def write_foxglove(
    path: Path,
    *,
    encoding: str = "json",
    kind: str = "CompressedImage",
    pieces: list[bytes] | None = None,
    format_name: str = "jpeg",
    indexed: bool = True,
    chunked: bool = True,
    compression: CompressionType = CompressionType.ZSTD,
) -> Path:
    """Write an MCAP with one Foxglove camera; `pieces` are the pictures, else JPEGs with numbers."""
    with path.open("wb") as file:
        writer = Writer(
            file,
            chunk_size=16_000,
            compression=compression,
            use_chunking=chunked,
            use_statistics=indexed,
            use_summary_offsets=indexed,
        )
        writer.start()
        name = f"foxglove.{kind}"
        schema = b'{"type":"object"}' if encoding == "json" else definition(kind)
        schema_id = writer.register_schema(name, "jsonschema" if encoding == "json" else "protobuf", schema)
        channel = writer.register_channel("/camera", encoding, schema_id)
        for number, data in enumerate(pieces or [jpeg(number) for number in range(FRAMES)]):
            fields = {"frame_id": "camera", "format": format_name, "data": data}
            message = _json(fields) if encoding == "json" else protobuf(fields)
            writer.add_message(channel, stamp_of(number), message, stamp_of(number))
        writer.finish()
    return path


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps({**fields, "data": base64.b64encode(fields["data"]).decode()}).encode()


NUMBERS = {"data": 2, "format": 3, "frame_id": 4}


def protobuf(fields: dict[str, Any]) -> bytes:
    return b"".join(
        _field(NUMBERS[name], value.encode() if isinstance(value, str) else value) for name, value in fields.items()
    )


def definition(kind: str) -> bytes:
    """Write the FileDescriptorSet of a Foxglove picture."""
    fields = b"".join(
        _field(
            2, _field(1, name.encode()) + _number(3, number) + _number(4, 1) + _number(5, 12 if name == "data" else 9)
        )
        for name, number in NUMBERS.items()
    )
    message = _field(1, kind.encode()) + fields
    return _field(1, _field(1, b"foxglove.proto") + _field(2, b"foxglove") + _field(4, message))


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += struct.pack("B", value & 0x7F | 0x80)
        value >>= 7
    return out + struct.pack("B", value)
