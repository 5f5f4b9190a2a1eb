"""Label formats written: one file a format, and what each cannot hold said in sentences."""

from hilgui.truth.writers.coco import coco_document
from hilgui.truth.writers.convert import Converted, convert_labels, writer_names
from hilgui.truth.writers.openlabel import openlabel_document

__all__ = ["Converted", "coco_document", "convert_labels", "openlabel_document", "writer_names"]
