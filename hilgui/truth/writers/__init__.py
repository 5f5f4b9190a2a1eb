"""Label formats written: one file a format, and what each cannot hold said in sentences."""

from hilgui.truth.writers.convert import Converted, convert_labels, writer_names

__all__ = ["Converted", "convert_labels", "writer_names"]
