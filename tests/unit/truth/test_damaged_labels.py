"""Damaged label files: cut off, bits flipped, empty, enormous numbers. Only TruthBroken comes out, and soon."""

from __future__ import annotations

import re
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hilgui import plugins
from hilgui.errors import TruthBroken
from tests.unit.truth.samples import SAMPLES, Sample

_NUMBERS = [word.encode() for word in "-1 0 1e308 -1e308 1e400 nan inf 99999999 4294967296 1e-320 _1 0x10".split()] + [
    b"",
    b"9" * 40,
]
_WHOLE_S = 20.0  # for all damages of one format, on a busy machine
_MEMORY = 96 * 2**20

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def _is_refused(sample: Sample, folder: Path, content: bytes) -> bool:
    """Read a damaged set: labels that still make sense, or TruthBroken with a sentence that names the folder."""
    sample.put(folder, content)
    for reader in plugins.working("hilgui.truth_readers").values():
        reader.recognises(folder)
        reader.recognises(folder / sample.file)
    try:
        sample.read(folder)
    except TruthBroken as failure:
        assert str(folder) in str(failure)
        assert len(str(failure)) < 800
        return True
    return False


def _damages(content: bytes, rng: np.random.Generator) -> list[bytes]:
    damaged = [b"", b"\x00" * 64, b"\xff\xfe" + content, content * 2, content.replace(b"\n", b"\r\n")]
    damaged += [content[:cut] for cut in np.unique(np.linspace(0, len(content) - 1, 24).astype(int))]
    for _ in range(30):
        flipped = np.frombuffer(content, np.uint8).copy()
        at = rng.integers(0, len(flipped), rng.integers(1, 4))
        flipped[at] ^= (1 << rng.integers(0, 8, len(at))).astype(np.uint8)
        damaged.append(flipped.tobytes())
    numbers = [match.span() for match in re.finditer(rb"-?\d+(\.\d+)?", content)]
    for _ in range(30 if numbers else 0):
        start, end = numbers[rng.integers(len(numbers))]
        damaged.append(content[:start] + _NUMBERS[rng.integers(len(_NUMBERS))] + content[end:])
    return damaged


@every_sample
def test_the_sample_itself_is_read(sample: Sample, tmp_path: Path) -> None:
    labels = sample.read(sample.put(tmp_path))
    assert labels.frames
    assert len(labels.sha256) == 64


@every_sample
def test_damage_ends_in_labels_or_in_truth_broken(sample: Sample, tmp_path: Path) -> None:
    started = time.monotonic()
    tracemalloc.start()
    damaged = _damages(sample.content(), np.random.default_rng(7))
    refused = sum(_is_refused(sample, tmp_path, content) for content in damaged)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < _MEMORY
    assert time.monotonic() - started < _WHOLE_S * 3
    assert refused or sample.name == "mot seqinfo"  # what it says is compared and not believed


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><annotation>&y;</annotation>',
            id="entities that unfold",
        ),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>', id="another file"
        ),
        pytest.param('<!DOCTYPE annotation SYSTEM "http://localhost/x.dtd"><annotation/>', id="a document type"),
        pytest.param("<annotation>" * 100_000, id="depth"),
        pytest.param("<annotation " + " ".join(f"a{k}='1'" for k in range(1000)) + "/>", id="attributes"),
        pytest.param("<annotation>&nothing;</annotation>", id="an entity that nobody declared"),
        pytest.param('<?xml version="1.0" encoding="utf-7"?><annotation><object/></annotation>', id="another encoding"),
    ],
)
@pytest.mark.parametrize("name", ["voc", "cvat images"])
def test_xml_that_attacks_is_refused(tmp_path: Path, content: str, name: str) -> None:
    sample = next(each for each in SAMPLES if each.name == name)
    sample.put(tmp_path, content.encode())
    with pytest.raises(TruthBroken):
        sample.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("mot", b"3,3,12", b"99999999,3,12", "frames count from 1"),
        ("mot", b"1,3,10", b"0,3,10", "line 1: frame 0; frames count from 1"),
        ("mot", b"1,4,50", b"1,3,50", "line 2: identity 3 appears twice"),
        ("mot", b",1,1,0.75", b",1,14,0.75", "line 1: class 14"),
        ("mot", b",0.75", b",7.5", "visibility 7.5"),
        ("kitti tracking", b"2 4 Van", b"99999999 4 Van", "line 2: frame 99999999"),
        ("kitti tracking", b" -1.6\n", b" -1.6 0.9\n", "a file of results"),
        ("cvat video", b"<stop_frame>9<", b"<stop_frame>999999999<", "beyond 500000 frames"),
        ("cvat video", b'frame="6"', b'frame="99999999"', "frames count from 0"),
        ("cvat video", b'frame="6"', b'frame="2"', "two boxes in one frame"),
        ("cvat video", b'frame="7"', b'frame="9000"', "track 3 leaps from frame 6 to 9000"),
        ("cvat images", b' xtl="1.5"', b"", "<box> has no xtl"),
        ("voc", b"<xmin>1<", b"<xmin>100<", "ends before it begins"),
        ("voc", b"<name>car</name>", b"", "line 3: the class has no name"),
        ("voc", b"</object>", b"</objekt>", "line 3, column"),
        ("openlabel", b'{"0": {"obj', b'{"-1": {"obj', "frame -1 is not a number"),
        ("openlabel", b'"objects": {"7": {"name"', b'"objects": {"8": {"name"', "is not in the list of objects"),
        ("scalabel", b'"id": "7"', b'"score": 0.5', "a file of results"),
        ("scalabel", b'"x1": 1', b'"x1": "1"', "x1 of box2d holds 1, which is not a number"),
        ("yolo", b"0 0.5 0.5", b"7 0.5 0.5", "line 1: class 7; the file of names has 0 to 1"),
        ("yolo", b"0 0.5", b"0 320", "are these pixels"),
        ("yolo names", b"1: person", b"1: car", "names must differ"),
        ("yolo names", b"names:", b"names: [", "line"),
        ("openimages", b"LabelName", b"Label", "the header lacks LabelName"),
        ("otb", b"11,20,30,40", b"11,20,30", "line 2: 3 numbers"),
        ("tusimple", b"[10, 20, 30]", b"[10, 20]", "a lane has 3 points where h_samples has 2"),
    ],
)
def test_the_sentence_says_what_and_where(tmp_path: Path, name: str, old: bytes, new: bytes, sentence: str) -> None:
    sample = next(each for each in SAMPLES if each.name == name)
    assert old in sample.content()
    sample.put(tmp_path, sample.content().replace(old, new, 1))
    with pytest.raises(TruthBroken, match=re.escape(sentence)):
        sample.read(tmp_path)
