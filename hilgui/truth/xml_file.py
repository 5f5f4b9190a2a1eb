"""XML labels: a small tree with line numbers, without document types, entities or depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from hilgui.errors import TruthBroken
from hilgui.truth.label_file import broken, number, read_text

MAX_BYTES = 64 * 2**20
_MAX_DEPTH = 32
_MAX_ELEMENTS = 1_000_000
_MAX_ATTRIBUTES = 64


@dataclass(slots=True, eq=False)
class Element:
    """One element with its line; `text` is what stands before its first child."""

    tag: str
    attributes: dict[str, str]
    path: Path
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """List the children of that name."""
        return [child for child in self.children if child.tag == tag]

    def first(self, tag: str) -> Element | None:
        """Give the first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)

    def child(self, tag: str) -> Element:
        """Give the first child of that name; raises TruthBroken."""
        found = self.first(tag)
        if found is None:
            self.refuse(f"<{self.tag}> has no <{tag}>")
        return found

    def words(self, tag: str) -> str:
        """Give the text of a child, "" where there is none."""
        found = self.first(tag)
        return "" if found is None else found.text.strip()

    def value(self, attribute: str) -> str:
        """Give an attribute; raises TruthBroken where it is missing."""
        if attribute not in self.attributes:
            self.refuse(f"<{self.tag}> has no {attribute}")
        return self.attributes[attribute]

    def number(self, attribute: str) -> float:
        """Give an attribute that is a number; raises TruthBroken."""
        return number(self.path, self.line, self.value(attribute), attribute)

    def refuse(self, what: str) -> NoReturn:
        """Raise TruthBroken for this element."""
        raise broken(self.path, what, self.line)


def read_xml(path: Path, *, limit: int = MAX_BYTES) -> tuple[Element, str]:
    """Give the root element of a UTF-8 file and the sha256 of its bytes; raises TruthBroken with line and column.

    A document type is refused, and with it every entity that could unfold or reach for another file.
    """
    text, sha256 = read_text(path, limit=limit)
    if not text.strip():
        raise TruthBroken(f"{path} is empty; export the labels again", path=path)
    builder = _Builder(path)
    try:
        builder.parser.Parse(text, True)
    except expat.ExpatError as failure:
        raise TruthBroken(
            f"{path}, line {failure.lineno}, column {failure.offset + 1}: {expat.errors.messages[failure.code]}; "
            "is a tag left open?",
            path=path,
            line=failure.lineno,
        ) from failure
    except (ValueError, LookupError) as failure:
        raise broken(path, f"not XML that can be read ({failure})") from failure
    assert builder.root is not None, "expat refuses a document without an element"
    return builder.root, sha256


class _Builder:
    def __init__(self, path: Path) -> None:
        self.root: Element | None = None
        self._path = path
        self._open: list[Element] = []
        self._count = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.EntityDeclHandler = self._refuse_doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        line = self.parser.CurrentLineNumber
        if len(self._open) >= _MAX_DEPTH or self._count > _MAX_ELEMENTS or len(attributes) > _MAX_ATTRIBUTES:
            raise broken(self._path, "nests deeper or holds more elements than any label file", line)
        element = Element(tag, attributes, self._path, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if not element.children and len(element.text) < 10_000:
            element.text += text

    def _refuse_doctype(self, *_parts: object) -> None:
        raise broken(
            self._path,
            "a document type or an entity, which labels do not need and hilgui does not unfold",
            self.parser.CurrentLineNumber,
        )
