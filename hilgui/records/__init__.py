"""The types that everything else makes, moves or shows: frozen, without behaviour."""

from hilgui.records.attestation import Attestation, provider_name
from hilgui.records.camera import CameraGeometry
from hilgui.records.comparison import Comparison, Disagreement, Judgement
from hilgui.records.decision import Action, Decision, GateResult, GateVerdict, InvariantResult, SliceResult
from hilgui.records.detections import NO_CLASS, NO_TRACK, Detections, Tags, Truth
from hilgui.records.finding import Finding, FoundObject, Hit, Kind, Level, Severity, Suspect, Telling
from hilgui.records.frame import Frame, FrameHealth, FrameRef
from hilgui.records.header import ModelFacts, People, RunHeader, SourceFacts, TruthFacts
from hilgui.records.inference import Inference, Role
from hilgui.records.masks import IGNORED_PIXEL, ClassTruth, DepthTruth, LaneTruth, MaskTruth
from hilgui.records.moment import Fate, FeatureSample, Loss, Moment
from hilgui.records.outputs import Classification, Depth, DepthUnit, LabelMap, Lanes, Segmentation, Task
from hilgui.records.verdict import MIXED, REPEATED, Ledger, Outcome, Verdict
from hilgui.records.vocabulary import Vocabulary

__all__ = [
    "IGNORED_PIXEL",
    "MIXED",
    "NO_CLASS",
    "NO_TRACK",
    "REPEATED",
    "Action",
    "Attestation",
    "CameraGeometry",
    "ClassTruth",
    "Classification",
    "Comparison",
    "Decision",
    "Depth",
    "DepthTruth",
    "DepthUnit",
    "Detections",
    "Disagreement",
    "Fate",
    "FeatureSample",
    "Finding",
    "FoundObject",
    "Frame",
    "FrameHealth",
    "FrameRef",
    "GateResult",
    "GateVerdict",
    "Hit",
    "Inference",
    "InvariantResult",
    "Judgement",
    "Kind",
    "LabelMap",
    "LaneTruth",
    "Lanes",
    "Ledger",
    "Level",
    "Loss",
    "MaskTruth",
    "ModelFacts",
    "Moment",
    "Outcome",
    "People",
    "Role",
    "RunHeader",
    "Segmentation",
    "Severity",
    "SliceResult",
    "SourceFacts",
    "Suspect",
    "Tags",
    "Task",
    "Telling",
    "Truth",
    "TruthFacts",
    "Verdict",
    "Vocabulary",
    "provider_name",
]
