"""Runs ONNX models: sessions and providers, preparation of pictures, adapters, model cards."""

from hilgui.inference.first_use import try_before_first_use
from hilgui.inference.model import Model
from hilgui.inference.preprocess import Workspace
from hilgui.inference.protocol import Adapter

__all__ = ["Adapter", "Model", "Workspace", "try_before_first_use"]
