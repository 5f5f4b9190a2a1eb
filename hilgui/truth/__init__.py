"""Ground truth: label formats, the class map, the common vocabulary, joining labels to a recording."""

from hilgui.truth.classmap import ClassMap, load_class_map
from hilgui.truth.find import find_truth, read_labels
from hilgui.truth.image_size import sizes_of_recording
from hilgui.truth.join import Joined, join
from hilgui.truth.protocol import LabelledFrame, Labels, TruthReader
from hilgui.truth.vocabulary import NO_MAP, Agreed, agree, relabel

__all__ = [
    "NO_MAP",
    "Agreed",
    "ClassMap",
    "Joined",
    "LabelledFrame",
    "Labels",
    "TruthReader",
    "agree",
    "find_truth",
    "join",
    "load_class_map",
    "read_labels",
    "relabel",
    "sizes_of_recording",
]
