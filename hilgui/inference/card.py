"""The model card: what a model file cannot say about itself, in YAML beside it.

schema: hilgui/model.v1
adapter: yolox
classes: [car, truck, pedestrian]
thresholds: {score: 0.4, nms_iou: 0.65}
licence: Apache-2.0
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hilgui.documents import read_document
from hilgui.errors import ModelBroken
from hilgui.inference.preprocess import Anchor, Color, Preprocess, Resize

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputCard(_Part):
    """How the picture is prepared; what is absent is as the adapter says."""

    width: int | None = Field(None, ge=1, le=8192)
    height: int | None = Field(None, ge=1, le=8192)
    color: Color | None = None
    scale: _Positive | None = None
    mean: tuple[_Finite, _Finite, _Finite] | None = None
    std: tuple[_Positive, _Positive, _Positive] | None = None
    resize: Resize | None = None
    anchor: Anchor | None = None
    pad: int | None = Field(None, ge=0, le=255)

    def over(self, default: Preprocess) -> Preprocess:
        """Give the adapter's preparation with what the card says put over it."""
        return Preprocess(
            color=self.color or default.color,
            scale=self.scale or default.scale,
            mean=self.mean or default.mean,
            std=self.std or default.std,
            resize=self.resize or default.resize,
            anchor=self.anchor or default.anchor,
            pad=default.pad if self.pad is None else self.pad,
        )


class Thresholds(_Part):
    """Where a detection begins to count, and where two boxes are one."""

    score: float | None = Field(None, gt=0, le=1)
    nms_iou: float | None = Field(None, gt=0, le=1, description="1 switches suppression off")


class ModelCard(_Part):
    """Everything a card may say; every field but the schema is optional."""

    schema_: Literal["hilgui/model.v1"] = Field(alias="schema")
    name: str = ""
    adapter: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict, description="checked by the adapter; docs/models.md")
    classes: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    input: InputCard = InputCard()
    thresholds: Thresholds = Thresholds()
    licence: str = ""
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    made_by: str = ""
    notes: str = ""

    @field_validator("classes")
    @classmethod
    def _are_different(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in classes if classes.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is named more than once")
        return classes

    @model_validator(mode="after")
    def _parameters_go_with_an_adapter(self) -> Self:
        if self.parameters and self.adapter is None:
            raise ValueError("parameters are those of an adapter; name it with the key adapter")
        return self


def card_beside(model: Path) -> Path | None:
    """Give the card of a model where there is one: night.onnx has night.yaml."""
    path = model.with_suffix(".yaml")
    return path if path.is_file() else None


def read_card(path: Path) -> ModelCard:
    """Read a card; raises ModelBroken naming file, line and key."""
    return read_document(path, ModelCard, what="model card", broken=ModelBroken, guide="docs/models.md")
