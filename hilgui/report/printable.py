"""Text for the fonts that every PDF reader has: what they do not hold is replaced by something that can be read."""

from __future__ import annotations

import unicodedata

_LOOKALIKES = {
    "−": "–", "≥": ">=", "≤": "<=", "→": "->", "←": "<-", "≠": "!=", "≈": "~", "▼": "", "▲": "", "■": "", "\u2009": " ",
    "\u202f": " ", "\u2011": "-", "\u200b": "", "✓": "yes", "✗": "no", "\t": "    ",
    "α": "alpha", "ε": "epsilon", "σ": "sigma", "γ": "gamma",
}  # fmt: skip


class Printable:
    """Makes text printable and remembers whether anything was replaced."""

    def __init__(self) -> None:
        self.replaced = False

    def __call__(self, text: str) -> str:
        """Keep what Windows-1252 holds; strip accents that it does not; write the rest as [U+4E2D]."""
        return "".join(self._one(character) for character in text)

    def _one(self, character: str) -> str:
        if _is_held(character):
            return character
        if character in _LOOKALIKES:
            return _LOOKALIKES[character]
        bare = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
        if bare and all(_is_held(each) for each in bare):
            return bare
        self.replaced = True
        return f"[U+{ord(character):04X}]"


def _is_held(character: str) -> bool:
    if character == "\n":
        return True
    try:
        return unicodedata.category(character) != "Cc" and len(character.encode("cp1252")) == 1
    except UnicodeEncodeError:
        return False
