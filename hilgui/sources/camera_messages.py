"""Pictures out of messages: ROS 1, ROS 2 (CDR) and Foxglove (JSON, protobuf, CDR)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.bag import BagTopic
from hilgui.sources.protobuf import field_numbers, read_fields
from hilgui.sources.raw_pixels import Samples, from_samples, is_deep

CODED, RAW, VIDEO, CALIBRATION = "CompressedImage", "Image", "CompressedVideo", "Calibration"

KINDS = {
    "sensor_msgs/msg/CompressedImage": CODED,
    "sensor_msgs/msg/Image": RAW,
    "sensor_msgs/msg/CameraInfo": CALIBRATION,
    "foxglove_msgs/msg/CompressedImage": CODED,
    "foxglove_msgs/msg/CompressedVideo": VIDEO,
    "foxglove_msgs/msg/RawImage": RAW,
    "foxglove_msgs/msg/CameraCalibration": CALIBRATION,
    "foxglove.CompressedImage": CODED,
    "foxglove.CompressedVideo": VIDEO,
    "foxglove.RawImage": RAW,
    "foxglove.CameraCalibration": CALIBRATION,
}

_STAMP = "builtin_interfaces/Time timestamp\n"
_FOXGLOVE = {
    "foxglove_msgs/msg/CompressedImage": f"{_STAMP}string frame_id\nuint8[] data\nstring format\n",
    "foxglove_msgs/msg/CompressedVideo": f"{_STAMP}string frame_id\nuint8[] data\nstring format\n",
    "foxglove_msgs/msg/RawImage": f"{_STAMP}string frame_id\nuint32 width\nuint32 height\nstring encoding\n"
    "uint32 step\nuint8[] data\n",
    "foxglove_msgs/msg/CameraCalibration": f"{_STAMP}string frame_id\nuint32 width\nuint32 height\n"
    "string distortion_model\nfloat64[] D\nfloat64[9] K\nfloat64[9] R\nfloat64[12] P\n",
}


@dataclass(frozen=True, slots=True, eq=False)
class CameraMessage:
    """One message of a camera topic."""

    kind: str
    data: bytes  # coded picture, samples, or a piece of video
    format: str  # "jpeg", "h264"; of samples the pixel encoding
    width: int = 0
    height: int = 0
    step: int = 0
    is_big_endian: bool = False


def kind_of(topic: BagTopic) -> str | None:
    """Say what a topic carries; None where it has nothing to do with a camera that can be read."""
    if topic.encoding not in ("cdr", "ros1", "json", "protobuf"):
        return None
    return KINDS.get(
        topic.type.replace("foxglove_msgs/", "foxglove_msgs/msg/") if topic.type.count("/") == 1 else topic.type
    )


def parse(topic: BagTopic, message: bytes) -> CameraMessage:
    """Read a message of a camera topic; raises ValueError and others of `bag.DAMAGE` on damaged bytes."""
    kind = kind_of(topic)
    assert kind is not None
    fields = read_message(topic, message)
    if kind == RAW:
        return CameraMessage(
            kind,
            _bytes(fields["data"]),
            str(fields["encoding"]),
            int(fields["width"]),
            int(fields["height"]),
            int(fields.get("step", 0)),
            bool(fields.get("is_bigendian", False)),
        )
    return CameraMessage(kind, _bytes(fields["data"]), str(fields.get("format", "")))


def picture_of(message: CameraMessage) -> tuple[NDArray[np.uint8], Samples | None]:
    """Decode a picture that stands alone, (H, W, 3) BGR, and its samples where these tell more; raises ValueError."""
    if message.kind == RAW:
        return from_samples(
            message.data,
            message.width,
            message.height,
            message.step,
            message.format,
            is_big_endian=message.is_big_endian,
        )
    return decode_coded(message.data)


def decode_coded(data: bytes) -> tuple[NDArray[np.uint8], Samples | None]:
    """Decode JPEG, PNG, WebP and what else OpenCV knows, with the samples of one of 16 bits; raises ValueError."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as failure:
        raise ValueError(f"the picture cannot be decoded: {failure.err}") from failure
    if image is None:
        raise ValueError("the picture cannot be decoded")
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if is_deep(data[:32]) else None
    return np.asarray(image, np.uint8), samples if samples is not None and samples.dtype == np.uint16 else None  # type: ignore[return-value]  # OpenCV's stubs do not follow the depth


def calibration_of(topic: BagTopic, message: bytes) -> dict[str, Any]:
    """Read intrinsics: width, height, model, K (9), D, P (12), frame."""
    fields = read_message(topic, message)
    pick = {name.lower(): value for name, value in fields.items()}
    header = pick.get("header") or {}
    return {
        "width": int(pick.get("width") or 0),
        "height": int(pick.get("height") or 0),
        "model": str(pick.get("distortion_model") or pick.get("distortionmodel") or ""),
        "K": [float(value) for value in _list(pick.get("k"))],
        "D": [float(value) for value in _list(pick.get("d"))],
        "P": [float(value) for value in _list(pick.get("p"))],
        "frame": str(pick.get("frame_id") or header.get("frame_id") or ""),
    }


def read_message(topic: BagTopic, message: bytes) -> dict[str, Any]:
    """Read the fields of a message by the encoding of its topic."""
    match topic.encoding:
        case "json":
            fields = json.loads(message)
            if not isinstance(fields, dict):
                raise ValueError("the message is no JSON object")
            return fields
        case "protobuf":
            return read_fields(message, field_numbers(topic.schema, topic.type))
        case _:
            return _read_ros(topic, message)


def _read_ros(topic: BagTopic, message: bytes) -> dict[str, Any]:
    from rosbags.serde import SerdeError

    try:
        if topic.encoding == "ros1":
            return _plain(_ros1().deserialize_ros1(message, _ros_name(topic)))
        return _plain(_ros2().deserialize_cdr(message, _ros_name(topic)))
    except SerdeError as failure:
        raise ValueError(str(failure)) from failure


def _ros_name(topic: BagTopic) -> str:
    package, _, name = topic.type.rpartition("/")
    return f"{package.removesuffix('/msg')}/msg/{name}"


@cache
def _ros1() -> Any:
    from rosbags.typesys import Stores, get_typestore

    return _with_foxglove(get_typestore(Stores.ROS1_NOETIC))


@cache
def _ros2() -> Any:
    from rosbags.typesys import Stores, get_typestore

    return _with_foxglove(get_typestore(Stores.ROS2_HUMBLE))


def _with_foxglove(store: Any) -> Any:
    from rosbags.typesys import get_types_from_msg

    for name, text in _FOXGLOVE.items():
        store.register(get_types_from_msg(text, name))
    return store


def _plain(message: Any) -> dict[str, Any]:
    fields = {name: getattr(message, name) for name in message.__dataclass_fields__ if not name.startswith("__")}
    if "header" in fields:
        fields["header"] = {"frame_id": fields["header"].frame_id}
    return fields


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if isinstance(value, list):
        return bytes(value)
    return value if isinstance(value, bytes) else np.asarray(value, np.uint8).tobytes()


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping):  # JSON writers of typed arrays number their elements
        return list(value.values())
    return list(value)
