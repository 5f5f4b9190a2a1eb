"""Pascal VOC XML: a folder with one file for each frame."""

from __future__ import annotations

import math
from html import escape  # that of xml.sax loads urllib: a tenth of a second

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, Truth
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed, decimal, frame_name

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_voc(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one XML file a frame, boxes to .001 px; what is not to be counted, and crowds, become difficult."""
    regions = crowds = shares = 0
    for position, frame in enumerate(boxed(labels)):
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        regions += int((truth.classes == NO_CLASS).sum())
        kept = truth.where(truth.classes != NO_CLASS)
        crowds += int(kept.crowd.sum())
        shares += sum(share not in (0.0, 0.5) for share in kept.occlusion.tolist() if math.isfinite(share))
        name = frame_name(frame, position)
        target.add(f"{name}.xml", _document(frame, name, kept, labels.names, sizes), len(kept))
    return [
        *lost(labels, (Holds.IGNORED, Holds.CROWDS, Holds.OCCLUSIONS, Holds.NAMES, Holds.SIZES), "Pascal VOC"),
        *counted(regions, "ignore region", "ignore regions", "without class left out: Pascal VOC has no word for that"),
        *counted(crowds, "crowd becomes", "crowds become", "difficult"),
        *counted(shares, "share of occlusion becomes", "shares of occlusion become", "a plain occluded, or not"),
    ]


def _document(frame: LabelledFrame, name: str, truth: Truth, names: tuple[str, ...], sizes: Sizes | None) -> str:
    size = (frame.width, frame.height) if frame.width and frame.height else sizes(frame.key) if sizes else None
    rows = ["<annotation>", f"  <filename>{xml_text(frame.key or name)}</filename>"]
    if size is not None:
        rows.append(f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>")
    for k in range(len(truth)):
        corners = "".join(
            f"<{tag}>{decimal(value, 3)}</{tag}>" for tag, value in zip(_CORNERS, truth.boxes[k].tolist(), strict=True)
        )
        share = float(truth.occlusion[k])
        rows.append("  <object>")
        rows.append(f"    <name>{xml_text(names[truth.classes[k]])}</name>")
        rows.append(f"    <difficult>{int(truth.ignore[k] or truth.crowd[k])}</difficult>")
        if math.isfinite(share):
            rows.append(f"    <occluded>{int(share > 0.25)}</occluded>")
        rows.append(f"    <bndbox>{corners}</bndbox>")
        rows.append("  </object>")
    return "\n".join([*rows, "</annotation>", ""])


def xml_text(text: str) -> str:
    """Write a name as XML holds it; raises CallWrong for characters that it cannot hold."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 or ord(letter) in (0xFFFE, 0xFFFF) for letter in text):
        raise CallWrong(f"{text[:40]!r} has characters that XML cannot hold; convert to coco instead")
    return escape(text, quote=False)
