"""Which frames a video holds, in display order, and where decoding can begin: from the packets, not from the header."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.numerals import number_of

UNDECODED = "before the first key frame"  # frames that are left out, so that the first one after them is number 0
_LOOK_AHEAD = 64  # packets decoded at most to learn whether packets come with true stamps


@dataclass(frozen=True, slots=True)
class KeyPacket:
    """A packet where decoding can begin."""

    seq: int  # the first frame that can be shown from here
    stamp: int  # its presentation stamp, which names it
    decode_stamp: int | None


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """Every frame by its stamp.

    `labels` are the stamps that the packets carry, in display order; they name decoded pictures. They ascend, except in
    containers that make stamps up (AVI with B-frames), where the order was found by decoding.
    """

    labels: NDArray[np.int64]
    times: tuple[float, ...]  # seconds since the first frame
    keys: tuple[KeyPacket, ...]  # by `seq`
    notes: tuple[str, ...] = ()
    seqs: dict[int, int] | None = None  # label → frame number, where the labels do not ascend

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.labels)

    def seq_of(self, stamp: int | None) -> int | None:
        """Give the frame number of a decoded picture; None for one that is not shown."""
        if stamp is None:
            return None
        if self.seqs is not None:
            return self.seqs.get(stamp)
        seq = int(np.searchsorted(self.labels, stamp))
        return seq if seq < len(self.labels) and self.labels[seq] == stamp else None

    def keys_before(self, seq: int, false_keys: Collection[int] = ()) -> list[KeyPacket]:
        """Give where to begin for a frame: the nearest key packet, then ever earlier ones; may be empty."""
        last = bisect_right(self.keys, seq, key=lambda key: key.seq) - 1
        places = [last - back for back in (0, 1, 2, 4, 8, 16, 32) if last >= back]
        return [self.keys[place] for place in places if self.keys[place].stamp not in false_keys]


def read_index(container: av.container.InputContainer, path: Path) -> PacketIndex:
    """Read every packet; raises SourceBroken for a recording that is damaged, cut off or empty."""
    stream = container.streams.video[0]
    _refuse_cut_off(stream, path)
    packets: list[tuple[int, int | None, bool, bool]] = []  # stamp, decode stamp, is key, is shown
    for packet in container.demux(stream):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.size == 0:
            continue
        if packet.is_corrupt:
            place = _place(packet)
            raise SourceBroken(f"the recording {path} is damaged{place}; copy it again", path=path)
        packets.append((stamp, packet.dts, bool(packet.is_keyframe), not packet.is_discard))
    first_key = next((at for at, packet in enumerate(packets) if packet[2]), 0)
    begin = packets[first_key][0] if packets and packets[first_key][3] else None
    notes: list[str] = []
    shown = [packet[0] for packet in packets[first_key:] if packet[3]]
    if first_key:
        known = len(shown)
        shown = [stamp for stamp in shown if begin is None or stamp >= begin]
        lost = first_key + known - len(shown)
        notes.append(f"{number_of(lost, 'frame')} {UNDECODED} cannot be decoded, left out")
    stamps = sorted(set(shown))
    if len(stamps) < len(shown):
        notes.append(f"{number_of(len(shown) - len(stamps), 'frame')} with the stamp of another one left out")
    if not stamps:
        raise SourceBroken(f"the recording {path} holds no frames; is it complete?", path=path)
    labels, seqs = np.array(stamps, np.int64), None
    if container.format.name == "avi" and (order := _order_by_decoding(path)):
        labels = np.array([stamp for stamp in order if stamp in set(stamps)], np.int64)
        missing = sorted(set(stamps) - set(labels.tolist()))
        labels = np.concatenate([labels, np.array(missing, np.int64)])
        seqs = {stamp: seq for seq, stamp in enumerate(labels.tolist())}
        notes.append("the container has no display stamps: the order of the frames was found by decoding")
    base = stream.time_base or Fraction(1, 1)
    keys = [
        KeyPacket(bisect_left(stamps, stamp) if seqs is None else seqs.get(stamp, 0), stamp, decode)
        for stamp, decode, is_key, _ in packets
        if is_key
    ]
    return PacketIndex(
        labels=labels,
        times=tuple(float((stamp - stamps[0]) * base) for stamp in stamps),
        keys=tuple(sorted(keys, key=lambda key: key.seq)),
        notes=tuple(notes),
        seqs=seqs,
    )


def _refuse_cut_off(stream: VideoStream, path: Path) -> None:
    size = path.stat().st_size
    entries = stream.index_entries
    if len(entries) and any(entries[at].pos + entries[at].size > size for at in range(len(entries))):
        raise SourceBroken(
            f"the recording {path} was cut off: it lists frames beyond the end of the file; copy it again", path=path
        )


def _order_by_decoding(path: Path) -> list[int]:
    """Give the stamps in the order in which the decoder shows them; empty where they ascend as they should."""
    from hilgui.sources.container import open_container

    order: list[int] = []
    container = open_container(path)
    try:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            try:
                order += [picture.pts for picture in stream.decode(packet) if picture.pts is not None]
            except av.InvalidDataError:
                continue
            if len(order) >= _LOOK_AHEAD and order == sorted(order):
                return []
    finally:
        container.close()
    return [] if order == sorted(order) else list(dict.fromkeys(order))


def _place(packet: Packet[VideoStream]) -> str:
    if packet.pts is None or packet.time_base is None:
        return ""
    return f" at {float(packet.pts * packet.time_base):.2f} s"
