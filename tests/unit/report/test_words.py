from __future__ import annotations

import numpy as np
import pytest

from hilgui.records import Judgement, Role
from hilgui.report import comparison_in_words, summary
from hilgui.report.tally import RoleTally, Share, distance_bands, height_bands, tally
from hilgui.report.words import Tone, percent, plural, statements
from hilgui.store import RunReader
from tests.unit.report.night_run import FRAMES, LOST

LABELLED = FRAMES - len(LOST) - 1


@pytest.fixture
def tallies(reader: RunReader) -> dict[Role, RoleTally]:
    return tally(reader)


def test_the_tally_agrees_with_the_stored_comparisons(reader: RunReader, tallies: dict[Role, RoleTally]) -> None:
    for role, one in tallies.items():
        judged = np.concatenate([moment.comparisons[role].truths for moment in reader.moments() if moment.truth])
        assert one.share.found == int((judged == Judgement.MATCHED).sum())
        assert one.share.missed == int((judged == Judgement.UNMATCHED).sum())
        line = reader.timeline().roles[role]
        assert (one.share.missed, one.phantoms) == (line.missed.sum(), line.phantoms.sum())
        assert one.matched_scores.sum() == line.matched.sum()


def test_ignored_truths_and_unlabelled_frames_are_not_counted(tallies: dict[Role, RoleTally]) -> None:
    classes = tallies[Role.BASELINE].classes
    assert list(classes) == ["car", "person"]
    assert classes["person"].share == Share(2 * LABELLED, 2 * LABELLED)


def test_bands_add_up(tallies: dict[Role, RoleTally]) -> None:
    person = tallies[Role.CANDIDATE].classes["person"]
    for bands, names in ((person.by_distance, distance_bands()), (person.by_height, height_bands())):
        assert len(bands) == len(names)
        assert sum(band.truths for band in bands) == person.share.truths
        assert sum(band.found for band in bands) == person.share.found


def test_an_object_that_was_never_found_is_counted_by_its_track(tallies: dict[Role, RoleTally]) -> None:
    person = tallies[Role.CANDIDATE].classes["person"]
    assert (person.objects, person.never_found) == (2, 1)


def test_the_worst_class_comes_first_with_counts(reader: RunReader) -> None:
    first, *others = comparison_in_words(reader)
    assert first == (
        "The candidate loses people at night in rain: it found 16 % (18 of 114 labels), "
        "the baseline 100 % (114 of 114 labels)."
    )
    assert "Not found in any frame: 1 of 2 people by the candidate, 0 of 2 by the baseline." in others
    assert any(text.startswith("Cars at night in rain are level") for text in others)
    assert any(text.startswith("Phantoms") and "8 of the candidate, 0 of the baseline" in text for text in others)


def test_tones_say_what_a_sentence_means_for_the_candidate(reader: RunReader, tallies: dict[Role, RoleTally]) -> None:
    said = statements(summary(reader), tallies)
    assert said[0].tone is Tone.WORSE
    assert next(one for one in said if "ms a frame" in one.text).tone is Tone.BETTER


def test_what_is_not_known_is_said(reader: RunReader) -> None:
    said = comparison_in_words(reader)
    assert f"Only {LABELLED} of {FRAMES - 2} frames have labels; the others are not judged." in said
    assert "Lost frames: 1 dropped, 1 skipped; nothing is known of them." in said


def test_a_lone_model_is_described_without_a_rival(lone_reader: RunReader) -> None:
    said = comparison_in_words(lone_reader)
    assert not any("candidate" in text for text in said)
    assert "Of the people at night in rain the model found 100 % (114 of 114 labels)." in said


def test_a_drive_without_labels_claims_nothing(reader: RunReader, tallies: dict[Role, RoleTally]) -> None:
    facts = summary(reader)
    facts["frames"]["with_truth"] = 0
    texts = [one.text for one in statements(facts, tallies)]
    assert texts[0] == "No frame has labels: misses, phantoms and average precision are unknown."
    assert not any("found" in text for text in texts)


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (0.0, "0 %"), (0.004, "< 1 %"), (0.41, "41 %"), (0.9999, "> 99 %"), (1.0, "100 %")],
)
def test_percentages_are_never_rounded_to_nothing_or_to_all(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("name", "text"), [("person", "people"), ("car", "cars"), ("bus", "buses"), ("traffic light", "traffic lights")]
)
def test_plurals(name: str, text: str) -> None:
    assert plural(name) == text
