"""Sentences about what sets an object apart from those that were found."""

from dataclasses import replace

from hilgui.explanations.lookalikes import Alike
from hilgui.explanations.looks import Looks
from hilgui.explanations.target import Target
from hilgui.explanations.words import alike_words
from tests.unit.explanations import lamp

TARGET = Target((0, 0, 10, 20), "person", 0, True, 0.3)
LOOKS = Looks(20.0, 0.5, 0.5, 100.0, 20.0, 30.0, 0.5, "")


def alike(looks: Looks) -> Alike:
    return Alike("run", 1, 0.1, TARGET.box, 4, 0.8, looks, 0.2, lamp.street(90))


def test_what_is_rare_about_an_object_is_one_sentence() -> None:
    found = [replace(LOOKS, brightness=100.0 + place, stands_out=30.0 + place) for place in range(1, 11)]
    mine = replace(LOOKS, height_px=20.0)
    said = alike_words(TARGET, mine, [alike(found[0])], found)
    assert said[0].startswith("It is darker than 100%, standing out less than 100%")
    assert said[0].endswith("of the 10 found at like places.")


def test_few_found_objects_say_nothing_about_rarity() -> None:
    assert "too few" in alike_words(TARGET, LOOKS, [alike(LOOKS)], [LOOKS])[0]
    assert "nothing to compare" in alike_words(TARGET, LOOKS, [], [])[0]
    assert "too small" in alike_words(TARGET, None, [], [])[0]
