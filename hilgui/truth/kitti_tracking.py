"""KITTI tracking labels: one text file for each sequence."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.records import NO_TRACK
from hilgui.truth.kitti import CLASSES, kitti_object
from hilgui.truth.label_file import MAX_FRAMES, FolderHash, broken, lines, peek, text_files, whole
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import LabelledObject, Names, truth_of

_COLUMNS = 17
_MAX_BYTES = 64 * 2**20


class KittiTrackingReader:
    """Reads the `label_02` files of the KITTI tracking benchmark: one sequence, or a folder of them.

    A line has 17 columns: frame (from 0), track, then the 15 columns of KITTI's object labels with the same meaning
    (see `KittiReader`). Frames from 0 to the last with a row are labelled, also where they are empty; they are named
    `000000` and by number. In a folder of several sequences the names carry the sequence: `0001/000000`.
    """

    format: ClassVar[str] = "KITTI tracking"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file, or one of the first files of the folder, starts like a line of 17 columns."""
        try:
            files = sorted(path.glob("*.txt"))[:50] if path.is_dir() else [path]
        except OSError:
            return False
        return any(file.suffix.lower() == ".txt" and _looks_like_tracking(peek(file, 512)) for file in files)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read one sequence or all of a folder; raises TruthBroken with file and line."""
        files = text_files(path, ".txt") if path.is_dir() else [path]
        if not files:
            raise TruthBroken(f"{path} holds no .txt files; KITTI tracking labels are one a sequence", path=path)
        sums, names = FolderHash(), Names(CLASSES)
        frames: list[LabelledFrame] = []
        for file in files:
            objects = _objects(file, sums.read(file, limit=_MAX_BYTES), names)
            for count in range(max(objects, default=-1) + 1):
                key = f"{file.stem}/{count:06d}" if len(files) > 1 else f"{count:06d}"
                index = count if len(files) == 1 else None
                frames.append(LabelledFrame(truth_of(objects.get(count, [])), key, index))
            if len(frames) > MAX_FRAMES:
                raise TruthBroken(f"{path} labels more than {MAX_FRAMES} frames; give one sequence", path=path)
        if not frames:
            raise TruthBroken(f"{path} holds no rows; export the labels again", path=path)
        return Labels(path, cls.format, names.all(), tuple(frames), sums.value(), class_map="kitti_to_coco")


def _looks_like_tracking(start: bytes) -> bool:
    words = start.strip().split(b"\n")[0].split()
    return len(words) in (_COLUMNS, _COLUMNS + 1) and words[0].isdigit() and words[2][:1].isalpha()


def _objects(file: Path, text: str, names: Names) -> dict[int, list[LabelledObject]]:
    objects: dict[int, list[LabelledObject]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for line, row in lines(text):
        words = row.split()
        if len(words) == _COLUMNS + 1:
            raise broken(file, "18 columns, the last a score: a file of results, not of labels", line)
        if len(words) != _COLUMNS:
            raise broken(file, f"{len(words)} columns where KITTI tracking labels have {_COLUMNS}", line)
        frame = whole(file, line, words[0], "the frame")
        if not 0 <= frame < MAX_FRAMES:
            raise broken(file, f"frame {frame}; frames count from 0 to at most {MAX_FRAMES}", line)
        track = whole(file, line, words[1], "the track")
        if track >= 0 and (frame, track) in seen:
            raise broken(file, f"track {track} appears twice in frame {frame}", line)
        seen.add((frame, track))
        objects[frame].append(kitti_object(file, line, words[2:], names, NO_TRACK if track < 0 else track))
    return objects
