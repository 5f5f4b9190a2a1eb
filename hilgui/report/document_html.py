"""A report as one HTML file: no script, nothing fetched, light and dark, A4 on paper."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hilgui import colours
from hilgui.report.document import Document, Part
from hilgui.report.svg import svg_of


def html_of(document: Document) -> str:
    """Render the page."""
    return (
        _environment()
        .get_template("document.html.j2")
        .render(
            document=document,
            light=colours.css_variables(colours.LIGHT),
            dark=colours.css_variables(colours.DARK),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(svg=svg_of, uri=_uri, kind=_kind)
    return environment


def _uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _kind(part: Part) -> str:
    return type(part).__name__.lower()
