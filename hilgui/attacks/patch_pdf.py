"""The patch as a PDF in true size: print it at 100 %, check the ruler, stick it on."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from hilgui.durable import write_document

MARGIN_MM = 15.0
RULER_MM = 100.0
_CELL_PX = 64  # a cell stays sharp at any size


def write_pdf(path: Path, grid: NDArray[np.uint8], side_mm: float, words: str) -> None:
    """Write one page as large as patch, margin and ruler need; raises StoreBroken where the disk refuses."""
    wide = max(side_mm, RULER_MM) + 2 * MARGIN_MM
    tall = side_mm + 2 * MARGIN_MM + 15
    large = cv2.resize(grid, None, fx=_CELL_PX, fy=_CELL_PX, interpolation=cv2.INTER_NEAREST)
    coded = io.BytesIO(cv2.imencode(".png", large)[1].tobytes())
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(wide * mm, tall * mm))
    canvas.setTitle(words)
    bottom = MARGIN_MM + 15
    canvas.drawImage(ImageReader(coded), MARGIN_MM * mm, bottom * mm, side_mm * mm, side_mm * mm)
    canvas.setLineWidth(0.3)
    canvas.line(MARGIN_MM * mm, 17 * mm, (MARGIN_MM + RULER_MM) * mm, 17 * mm)
    for tick in range(0, int(RULER_MM) + 1, 10):
        canvas.line((MARGIN_MM + tick) * mm, 17 * mm, (MARGIN_MM + tick) * mm, 20 * mm)
    canvas.setFont("Helvetica", 7)
    canvas.drawString(MARGIN_MM * mm, 11 * mm, f"{RULER_MM:g} mm - print at 100 %, patch {side_mm:g} x {side_mm:g} mm")
    canvas.drawString(MARGIN_MM * mm, 7 * mm, words[:120])
    canvas.save()
    write_document(path, buffer.getvalue())
