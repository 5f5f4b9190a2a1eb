"""`hilgui labels`: labels from one format to another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

labels_app = typer.Typer(help="Work with label files.", rich_markup_mode=None)


@labels_app.callback()
def labels() -> None:
    """Work with label files."""


@labels_app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Label file or folder, of any format that is read.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, or folder for kitti, voc and yolo.")],
    to: Annotated[str, typer.Option("--to", help="coco, cvat, kitti, mot, openlabel, voc or yolo.")],
    images: Annotated[Path | None, typer.Option(help="Folder of the images, where sizes are needed.")] = None,
    size: Annotated[str | None, typer.Option(help="Size of every picture instead, such as 1920x1080.")] = None,
    class_map: Annotated[str | None, typer.Option(help="Shipped class map (kitti_to_coco) or a YAML file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Convert labels and say what the new format cannot hold."""
    from hilgui.cli.console import notes, print_json, results
    from hilgui.truth import load_class_map, read_labels
    from hilgui.truth.image_size import one_size, sizes_in
    from hilgui.truth.writers import convert_labels

    sizes = sizes_in(images) if images is not None else None if size is None else one_size(*_size(size))
    chosen = None if class_map is None else load_class_map(class_map)
    read = read_labels(source, sizes)
    written = convert_labels(read, out, to, sizes=sizes, class_map=chosen, force=force)
    if as_json:
        print_json(
            {
                "from": read.format,
                "to": to,
                "out": str(written.out),
                "files": written.files,
                "frames": written.frames,
                "objects": written.objects,
                "objects_read": written.read,
                "notes": list(read.notes),
                "lost": list(written.lost),
            }
        )
        return
    for sentence in (*read.notes, *written.lost):
        notes.print(sentence, markup=False)
    left = "" if written.objects == written.read else f" of {written.read}"
    results.print(
        f"{written.out}: {written.objects}{left} objects in {written.frames} frames, {read.format} → {to}", markup=False
    )


def _size(text: str) -> tuple[int, int]:
    from hilgui.errors import CallWrong

    found = re.fullmatch(r"([1-9]\d{0,5})[x×]([1-9]\d{0,5})", text.strip())
    if found is None:
        raise CallWrong(f"--size {text!r} is not a size such as 1920x1080")
    return int(found[1]), int(found[2])
