"""Why a model misses an object, or shows one that is not there: saliency, look-alikes, rescue."""

from hilgui.explanations.document import Explanation
from hilgui.explanations.explain import METHODS, AskExplanation, Wish, explain
from hilgui.explanations.shelf import picture_of, stored

__all__ = ["METHODS", "AskExplanation", "Explanation", "Wish", "explain", "picture_of", "stored"]
