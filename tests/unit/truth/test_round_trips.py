"""What is written is read again: equal within the rounding of the format, and what is lost is said."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgui.errors import BenchBroken, CallWrong
from hilgui.records import NO_CLASS, NO_TRACK, Truth
from hilgui.truth import ClassMap, LabelledFrame, Labels, read_labels
from hilgui.truth.image_size import one_size
from hilgui.truth.kitti import KittiReader
from hilgui.truth.writers import convert_labels, writer_names

WIDTH, HEIGHT = 1920, 1080
NAMES = ("car", "pedestrian", "bicycle")


@dataclass(frozen=True)
class Form:
    """What one format keeps, and how exactly."""

    px: float  # the largest difference of a corner
    suffix: str = ""  # of the one file; a folder without
    tracks: bool = False
    regions: bool = True  # ignore regions without class
    ignored: bool = True  # the class of what is not counted
    crowds: bool = False
    distance_m: float | None = None  # the largest difference
    occlusion: Callable[[float], float] | None = None  # what a share becomes
    occlusion_step: float = 1e-6
    keys: bool = True
    indices: bool = False
    truncation: float | None = None  # the largest difference
    tags: bool = False


def _words_of_kitti(share: float) -> float:
    return share if math.isnan(share) else min((0.0, 0.25, 0.6, 1.0), key=lambda word: abs(word - share))


WHOLE = Form(
    1e-9,
    ".json",
    tracks=True,
    crowds=True,
    distance_m=1e-6,
    occlusion=lambda share: share,
    indices=True,
    truncation=1e-6,
    tags=True,
)

FORMS = {
    "coco": WHOLE,
    "openlabel": WHOLE,
    "cvat": Form(
        0.0,
        ".xml",
        regions=False,
        crowds=True,
        occlusion=lambda share: 0.5 if share > 0.25 else 0.0,  # CVAT asks for yes or no
    ),
    "kitti": Form(0.005, ignored=False, distance_m=0.005, occlusion=_words_of_kitti, truncation=0.0051),
    "voc": Form(
        0.0005,
        regions=False,
        occlusion=lambda share: share if math.isnan(share) else 0.5 if share > 0.25 else 0.0,
    ),
    "yolo": Form(1e-8 * WIDTH, regions=False, ignored=False),
    "mot": Form(
        0.001, ".txt", tracks=True, keys=False, indices=True, occlusion=lambda share: share, occlusion_step=6e-6
    ),
}

_pixels = st.floats(0, 1, allow_subnormal=False)
_shares = st.one_of(st.just(math.nan), st.floats(0, 1, width=32))


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Draw up to six objects within the picture, each with a track of its own."""
    count = draw(st.integers(0, 6))
    rows = [sorted((draw(_pixels), draw(_pixels))) + sorted((draw(_pixels), draw(_pixels))) for _ in range(count)]
    scale = np.array([WIDTH, WIDTH, HEIGHT, HEIGHT])
    boxes = (np.array(rows).reshape(-1, 4) * scale)[:, [0, 2, 1, 3]]
    classes = np.array([draw(st.integers(NO_CLASS, len(NAMES) - 1)) for _ in range(count)], np.int32)
    flags = np.array([draw(st.sampled_from(["", "", "crowd", "ignore"])) for _ in range(count)], "U6")
    plain = Truth.of(
        boxes,
        classes,
        tracks=np.arange(1, count + 1) * 7,
        crowd=(flags == "crowd") & (classes != NO_CLASS),
        ignore=(flags == "ignore") | (classes == NO_CLASS),
        distance_m=np.array([draw(st.floats(0.125, 300, width=32)) for _ in range(count)], np.float32),
        occlusion=np.array([draw(_shares) for _ in range(count)], np.float32),
    )
    return replace(
        plain,
        truncation=np.array([draw(_shares) for _ in range(count)], np.float32),
        tags=tuple(draw(st.sampled_from([(), (("clothing", "dark"),)])) for _ in range(count)),
    )


@st.composite
def drives(draw: st.DrawFn) -> Labels:
    """Draw a drive of up to four frames; every object keeps its class over time, the last frame is not empty."""
    found = draw(st.lists(truths(), min_size=1, max_size=4))
    frames = tuple(
        LabelledFrame(
            Truth(**{**_fields(truth), "tracks": truth.tracks + 1000 * (number + 1)}),
            key=f"{number:06d}.png",
            index=number,
            width=WIDTH,
            height=HEIGHT,
        )
        for number, truth in enumerate(found)
    )
    return Labels(Path("drawn"), "drawn", NAMES, frames, "")


def _fields(truth: Truth) -> dict[str, np.ndarray]:
    return {name: getattr(truth, name) for name in Truth.__dataclass_fields__}


def _converted(labels: Labels, form: str) -> Labels:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"labels{FORMS[form].suffix}"
        convert_labels(labels, out, form)
        if form == "kitti":
            return KittiReader.read(out)  # nobody can recognise a folder of empty files
        return read_labels(out, one_size(WIDTH, HEIGHT))


@pytest.mark.parametrize("form", sorted(FORMS))
@settings(max_examples=40, deadline=None)
@given(labels=drives())
def test_what_is_written_is_read_again(form: str, labels: Labels) -> None:
    kept = FORMS[form]
    if form == "mot" and not any(len(frame.truth) for frame in labels.frames):
        return  # refused, see below
    back = {
        frame.index if kept.indices else int(Path(frame.key).stem): frame for frame in _converted(labels, form).frames
    }
    names = _names(labels, form)
    for number, frame in enumerate(labels.frames):
        expected = _expected(frame.truth, kept)
        if number not in back:
            assert form == "mot", "only MOT has no word for an empty frame at the end"
            assert not len(expected)
            continue
        told = back[number].truth
        assert len(told) == len(expected)
        order = np.argsort(told.tracks, kind="stable") if kept.tracks else np.arange(len(told))
        tags = tuple(told.tags[k] for k in order) if told.tags else ((),) * len(told)
        told = replace(told, tags=()).where(order)
        assert np.abs(told.boxes - expected.boxes).max(initial=0) <= kept.px + 1e-9
        assert [names(int(k)) for k in told.classes] == ["" if k == NO_CLASS else NAMES[k] for k in expected.classes]
        assert told.ignore.tolist() == expected.ignore.tolist()
        assert told.crowd.tolist() == expected.crowd.tolist()
        if kept.tracks:
            assert told.tracks.tolist() == expected.tracks.tolist()
        if kept.distance_m is not None:
            counted = ~told.ignore if form == "kitti" else np.ones(len(told), np.bool_)
            assert np.allclose(
                told.distance_m[counted], expected.distance_m[counted], rtol=0, atol=kept.distance_m + 1e-4
            )
        if kept.truncation is not None:
            counted = ~told.ignore if form == "kitti" else np.ones(len(told), np.bool_)
            pair = told.truncation[counted], expected.truncation[counted]
            assert np.allclose(*pair, rtol=0, atol=kept.truncation, equal_nan=True)
        if kept.tags:
            assert tags == (expected.tags or ((),) * len(expected))
        if kept.occlusion is not None:
            counted = ~told.ignore if form == "kitti" else np.ones(len(told), np.bool_)
            shares = np.array([kept.occlusion(float(share)) for share in expected.occlusion])
            assert np.allclose(
                told.occlusion[counted], shares[counted], rtol=0, atol=kept.occlusion_step, equal_nan=True
            )


def _names(labels: Labels, form: str) -> Callable[[int], str]:
    told = _converted(labels, form).names
    return lambda number: "" if number == NO_CLASS else told[number]


def _expected(truth: Truth, kept: Form) -> Truth:
    """Give what the format promises to keep, in the order in which it is read again."""
    if not kept.regions:
        truth = truth.where(truth.classes != NO_CLASS)
    if not kept.regions and not kept.ignored:
        truth = truth.where(~(truth.ignore | truth.crowd))
    fields = _fields(truth)
    if not kept.crowds:
        fields["ignore"] = truth.ignore | truth.crowd
        fields["crowd"] = np.zeros(len(truth), np.bool_)
    if kept.regions and not kept.ignored:
        fields["classes"] = np.where(fields["ignore"], NO_CLASS, truth.classes)
    return Truth(**fields)


def _one(truth: Truth, **fields: object) -> Labels:
    frame = LabelledFrame(truth, **{"key": "a.png", "index": 0, "width": WIDTH, "height": HEIGHT, **fields})
    return Labels(Path("drawn.json"), "COCO", NAMES, (frame,), "")


CAR = Truth.of(
    np.array([[10.0, 20, 30, 40]]),
    np.array([0], np.int32),
    tracks=np.array([4]),
    distance_m=np.array([12.5], np.float32),
    occlusion=np.array([0.25], np.float32),
)


@pytest.mark.parametrize(
    ("form", "sentences"),
    [
        ("coco", []),
        ("openlabel", []),
        ("cvat", ["identities", "distances", "frame numbers", "share of occlusion becomes"]),
        ("kitti", ["identities", "frame numbers", "sizes"]),
        ("voc", ["identities", "distances", "frame numbers", "share of occlusion becomes"]),
        ("yolo", ["identities", "distances", "shares of occlusion", "frame numbers", "sizes"]),
        ("mot", ["distances", "file names", "sizes"]),
    ],
)
def test_what_a_format_cannot_hold_is_said(tmp_path: Path, form: str, sentences: list[str]) -> None:
    lost = convert_labels(_one(CAR), tmp_path / f"x{FORMS[form].suffix}", form).lost
    assert len(lost) == len(sentences), lost
    for sentence in sentences:
        assert any(sentence in said for said in lost), (sentence, lost)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_nothing_is_overwritten_without_force(tmp_path: Path, form: str) -> None:
    out = tmp_path / f"x{FORMS[form].suffix}"
    convert_labels(_one(CAR), out, form)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(CallWrong, match="--force overwrites"):
        convert_labels(_one(Truth.none() if form != "mot" else CAR), out, form)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    convert_labels(_one(CAR), out, form, force=True)


def test_labels_do_not_mix_with_those_of_another_drive(tmp_path: Path) -> None:
    convert_labels(_one(CAR, key="b.png"), tmp_path / "x", "kitti")
    with pytest.raises(CallWrong, match=r"holds b\.txt, which would mix"):
        convert_labels(_one(CAR), tmp_path / "x", "kitti", force=True)


@pytest.mark.parametrize(
    ("labels", "form", "sentence"),
    [
        pytest.param(_one(CAR), "pascal", "no format 'pascal' to convert to, did you mean voc", id="another name"),
        pytest.param(_one(CAR), "openlable", "did you mean openlabel?", id="a slip of the pen"),
        pytest.param(_one(CAR), "tfrecord", "'tfrecord' to convert to; choose one of coco, cvat", id="unknown format"),
        pytest.param(_one(CAR, width=0), "yolo", "how large a.png is", id="no size"),
        pytest.param(_one(CAR, key="../.."), "voc", "cannot name a file", id="a name that climbs"),
        pytest.param(_one(CAR, key="a\0b"), "kitti", "cannot name a file", id="a zero in the name"),
        pytest.param(_one(Truth.none()), "mot", "no object that MOT could hold", id="nothing for MOT"),
        pytest.param(
            Labels(Path("m"), "masks", NAMES, (LabelledFrame(None, "a"),), ""), "coco", "no boxes", id="only masks"
        ),
        pytest.param(
            Labels(Path("m"), "COCO", ("tree",), (LabelledFrame(CAR, "a", 0),), ""),
            "mot",
            "give a class map",
            id="trees",
        ),
        pytest.param(
            Labels(Path("m"), "COCO", NAMES, (LabelledFrame(CAR, "p/a.png"), LabelledFrame(CAR, "q/a.png")), ""),
            "voc",
            "both be written to a.xml",
            id="two frames of one name",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    tmp_path: Path, labels: Labels, form: str, sentence: str
) -> None:
    with pytest.raises(CallWrong, match=sentence):
        convert_labels(labels, tmp_path / "x", form)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchBroken, match="cannot be written"):
        convert_labels(_one(CAR), tmp_path / "file" / "x.json", "coco")


def test_a_class_map_is_applied(tmp_path: Path) -> None:
    truth = Truth.of(np.array([[0.0, 0, 1, 1], [0, 0, 2, 2]]), np.array([0, 1], np.int32))
    convert_labels(_one(truth), tmp_path / "x.json", "coco", class_map=ClassMap("mine", {"Pedestrian": "person"}))
    back = read_labels(tmp_path / "x.json")
    assert back.names == ("person",)
    assert back.frames[0].truth.classes.tolist() == [NO_CLASS, 0]
    assert back.frames[0].truth.ignore.tolist() == [True, False]


def test_frames_that_mot_leaves_empty_are_counted_whatever_emptied_them(tmp_path: Path) -> None:
    tree = Truth.of(np.array([[0.0, 0, 1, 1]]), np.array([1], np.int32))
    frames = tuple(LabelledFrame(truth, f"{k}.png", k) for k, truth in enumerate((CAR, tree, Truth.none())))
    written = convert_labels(Labels(Path("m"), "COCO", ("car", "tree"), frames, ""), tmp_path / "gt.txt", "mot")
    assert (written.objects, written.read) == (1, 2)
    assert "2 frames have no object for MOT and no row" in " ".join(written.lost)


def test_objects_without_identity_keep_having_none(tmp_path: Path) -> None:
    truth = Truth.of(np.array([[0.0, 0, 1, 1], [0, 0, 2, 2]]), np.array([0, 1], np.int32))
    for form in ("coco", "openlabel"):
        convert_labels(_one(truth), tmp_path / f"{form}.json", form)
        assert read_labels(tmp_path / f"{form}.json").frames[0].truth.tracks.tolist() == [NO_TRACK] * 2


def test_times_and_names_survive_openlabel(tmp_path: Path) -> None:
    convert_labels(_one(CAR, time_s=0.125), tmp_path / "x.json", "openlabel")
    (frame,) = read_labels(tmp_path / "x.json").frames
    assert (frame.key, frame.index, frame.time_s, frame.width, frame.height) == ("a.png", 0, 0.125, WIDTH, HEIGHT)


@pytest.mark.parametrize("form", writer_names())
def test_the_real_kitti_labels_go_through_every_format(shared_data: Path, tmp_path: Path, form: str) -> None:
    labels = read_labels(shared_data / "images_gt" / "kitti_mini" / "label_2")
    sizes = one_size(1242, 376)
    maps = {"mot": ClassMap("mot", {"Pedestrian": "pedestrian", "Car": "car", "Van": "car"})}
    out = tmp_path / f"x{FORMS[form].suffix}"
    written = convert_labels(labels, out, form, sizes=sizes, class_map=maps.get(form))
    assert (written.frames, written.read) == (18, 132)
    assert written.objects == sum(len(frame.truth) for frame in read_labels(out, sizes).frames)
    back = read_labels(out, sizes)
    counted = sum(int((~frame.truth.ignore).sum()) for frame in back.frames)
    cars = {"mot": ("Car", "Van", "Pedestrian")}.get(form, labels.names)
    wanted = sum(labels.names[k] in cars for frame in labels.frames for k in frame.truth.classes if k != NO_CLASS)
    assert counted == wanted
