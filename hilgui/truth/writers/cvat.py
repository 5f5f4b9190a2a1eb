"""CVAT for images 1.1: one XML file that CVAT imports and exports."""

from __future__ import annotations

import math
from xml.sax.saxutils import quoteattr

import numpy as np

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, Truth
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed, frame_name
from hilgui.truth.writers.voc import xml_text

_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_FLAGS = ("ignore", "iscrowd")  # attributes of every label, as our own reader knows them


def write_cvat(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one XML file, boxes to the last digit; what is not to be counted, and crowds, are attributes of the box.

    CVAT pairs the images by their names with those of the task. Each box must say whether it is occluded, so shares
    are rounded, and one that nobody stated is no; regions without class have no place.
    """
    frames = boxed(labels)
    rows = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>"]
    rows += ["  <meta>", "    <task>", f"      <size>{len(frames)}</size>", "      <mode>annotation</mode>"]
    rows += ["      <labels>", *(line for name in labels.names for line in _label(name)), "      </labels>"]
    rows += ["    </task>", "  </meta>"]
    regions = shares = unstated = objects = 0
    for position, frame in enumerate(frames):
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        regions += int((truth.classes == NO_CLASS).sum())
        kept = truth.where(truth.classes != NO_CLASS)
        objects += len(kept)
        unstated += int(np.isnan(kept.occlusion).sum())
        shares += sum(share not in (0.0, 0.5) for share in kept.occlusion.tolist() if math.isfinite(share))
        rows += _image(position, frame, kept, labels.names, sizes)
    target.add("", "\n".join([*rows, "</annotations>", ""]), objects)
    held = (Holds.CROWDS, Holds.IGNORED, Holds.OCCLUSIONS, Holds.NAMES, Holds.SIZES)
    return [
        *lost(labels, held, "CVAT for images"),
        *counted(regions, "ignore region", "ignore regions", "without class left out: CVAT has no word for that"),
        *counted(unstated, "object", "objects", "of unstated occlusion: not occluded"),
        *counted(shares, "share of occlusion becomes", "shares of occlusion become", "a plain occluded, or not"),
    ]


def _label(name: str) -> list[str]:
    flags = [
        f"            <attribute><name>{flag}</name><mutable>False</mutable><input_type>checkbox</input_type>"
        "<default_value>false</default_value><values>false</values></attribute>"
        for flag in _FLAGS
    ]
    before = ["        <label>", f"          <name>{xml_text(name)}</name>", "          <attributes>"]
    return [*before, *flags, "          </attributes>", "        </label>"]


def _image(number: int, frame: LabelledFrame, truth: Truth, names: tuple[str, ...], sizes: Sizes | None) -> list[str]:
    name = frame.key or frame_name(frame, number)
    size = (frame.width, frame.height) if frame.width and frame.height else sizes(frame.key) if sizes else None
    if size is None:
        raise CallWrong(f"nobody knows how large {name} is, and CVAT needs it; give --images or --size")
    rows = [f'  <image id="{number}" name={_quoted(name)} width="{size[0]}" height="{size[1]}">']
    for k in range(len(truth)):
        corners = " ".join(f'{tag}="{value!r}"' for tag, value in zip(_CORNERS, truth.boxes[k].tolist(), strict=True))
        occluded = int(truth.occlusion[k] > 0.25)  # no where it is not a number; CVAT opens no file without it
        label = _quoted(names[truth.classes[k]])
        rows.append(f'    <box label={label} source="manual" occluded="{occluded}" {corners} z_order="0">')
        for flag, is_set in zip(_FLAGS, (truth.ignore[k], truth.crowd[k]), strict=True):
            rows.append(f'      <attribute name="{flag}">{"true" if is_set else "false"}</attribute>')
        rows.append("    </box>")
    return [*rows, "  </image>"]


def _quoted(text: str) -> str:
    xml_text(text)  # refuses what XML cannot hold
    return quoteattr(text)
