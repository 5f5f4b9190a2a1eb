"""Suspects: who is named, by which rule."""

from __future__ import annotations

import numpy as np

from hilgui.cornercases import Watch
from hilgui.cornercases.kinds import NATURES
from hilgui.cornercases.picture_hash import hash_of, hash_of_crop
from hilgui.cornercases.suspects import Votes
from hilgui.records import Finding, Hit, Kind, Level, Role, Severity, Suspect
from tests.unit.cornercases.drive import CAR, PERSON, B, C, Known, Seen, context, moment

BOX = (100.0, 200.0, 140.0, 300.0)
WALKER = Known(PERSON, BOX, track=23, distance_m=25.0)
FOUND = [(PERSON, BOX, 0.71)]


def one_of(kind: Kind, watch: Watch, dark: range, missed: range) -> Finding:
    moments = (
        moment(
            seq,
            truth=[WALKER],
            seen={B: FOUND, C: [] if seq in missed else FOUND},
            mean=1.0 if seq in dark else 100.0,
        )
        for seq in range(60)
    )
    findings = [finding for each in moments for finding in watch.look(each).closed] + watch.finish()
    return next(finding for finding in findings if finding.kind is kind)


def test_every_kind_has_a_level_and_a_suspect() -> None:
    assert set(NATURES) == set(Kind)


def test_a_miss_that_nothing_explains_is_the_models() -> None:
    missed = one_of(Kind.GAP, Watch(context()), range(0), range(10, 30))
    assert (missed.suspect, missed.level) == (Suspect.MODEL, Level.SCENARIO)
    assert missed.suspect_why.startswith("no rule points elsewhere")
    assert missed.trigger


def test_a_miss_on_dark_pictures_is_the_rigs() -> None:
    missed = one_of(Kind.GAP, Watch(context()), range(8, 21), range(10, 30))
    assert missed.suspect is Suspect.RIG
    assert missed.suspect_why == "11 of its 20 frames have black_frame: what is judged there is not the model"


def test_a_few_dark_pictures_do_not_excuse_a_long_miss() -> None:
    assert one_of(Kind.GAP, Watch(context()), range(10, 19), range(10, 30)).suspect is Suspect.MODEL


def test_a_dark_picture_is_no_excuse_for_itself() -> None:
    dark = one_of(Kind.BLACK_FRAME, Watch(context()), range(8, 21), range(0))
    assert dark.suspect is Suspect.RIG
    assert dark.suspect_why == "the picture itself is at fault, before any model saw it"


def test_the_worst_frame_and_its_object_are_hashed_while_the_picture_is_at_hand() -> None:
    images = {seq: np.random.default_rng(seq).integers(0, 255, (540, 960, 3), dtype=np.uint8) for seq in range(12)}
    watch = Watch(context(candidate=False))
    findings = []
    for seq in range(12):
        findings += watch.look(moment(seq, truth=[WALKER], seen={B: []}), images.get).closed
    findings += watch.finish()
    missed = next(finding for finding in findings if finding.kind is Kind.MISSED_OBJECT)
    assert missed.frame_hash == hash_of(images[missed.worst_seq])
    assert missed.crop_hash == hash_of_crop(images[missed.worst_seq], BOX)


SURE = [(PERSON, BOX, 0.8)]


def suspects(truth: list[Known], seen: dict[Role, list[Seen]]) -> set[tuple[Kind, Suspect | None]]:
    watch = Watch(context())
    moments = [moment(seq, truth=truth, seen=seen) for seq in range(20)]
    findings = [finding for each in moments for finding in watch.look(each).closed] + watch.finish()
    return {(finding.kind, finding.suspect) for finding in findings}


def test_a_label_that_was_taken_away_is_suspected_wherever_it_was() -> None:
    assert suspects([], {B: SURE, C: SURE}) == {(Kind.PHANTOM, Suspect.LABEL)}
    assert suspects([], {B: SURE, C: [(PERSON, BOX, 0.74)]}) == set()  # beside the corridor, and one is not sure


def test_a_label_that_was_moved_is_suspected() -> None:
    moved = Known(PERSON, (BOX[0] + 24, BOX[1], BOX[2] + 24, BOX[3]), track=23, distance_m=25.0)  # IoU .25
    assert suspects([moved], {B: SURE, C: SURE}) == {(Kind.MISSED_OBJECT, Suspect.LABEL)}


def test_two_models_that_share_a_mistake_half_surely_do_not_speak_against_the_label() -> None:
    for score, box in ((0.74, BOX), (0.9, (BOX[0] + 12, BOX[1], BOX[2] + 12, BOX[3]))):
        shifted = [(PERSON, box, score)]
        moved = Known(PERSON, (BOX[0] + 24, BOX[1], BOX[2] + 24, BOX[3]), track=23, distance_m=25.0)
        assert (Kind.MISSED_OBJECT, Suspect.LABEL) not in suspects([moved], {B: shifted, C: shifted})


def test_a_disagreement_points_at_the_model_that_lacks_what_lasts() -> None:
    steady: list[Seen] = [(CAR, (100.0 * place, 200.0, 100.0 * place + 50, 230.0), 0.8) for place in range(4)]
    for worse, better in ((C, B), (B, C)):
        watch = Watch(context())
        moments = [moment(seq, seen={better: steady, worse: steady[:1]}) for seq in range(40)]
        findings = [finding for each in moments for finding in watch.look(each).closed] + watch.finish()
        found = next(finding for finding in findings if finding.kind is Kind.DISAGREEMENT)
        assert (found.role, found.suspect, found.suspect_role) == (None, Suspect.MODEL, worse)
        assert found.suspect_model is worse
        assert found.suspect_why.startswith(f"the {worse} is the odd one out")


def test_a_disagreement_on_dark_pictures_points_at_no_model() -> None:
    steady: list[Seen] = [(CAR, (100.0 * place, 200.0, 100.0 * place + 50, 230.0), 0.8) for place in range(4)]
    watch = Watch(context())
    moments = [moment(seq, seen={B: steady, C: steady[:1]}, mean=1.0) for seq in range(40)]
    findings = [finding for each in moments for finding in watch.look(each).closed] + watch.finish()
    found = next(finding for finding in findings if finding.kind is Kind.DISAGREEMENT)
    assert (found.suspect, found.suspect_role, found.suspect_model) == (Suspect.RIG, None, None)


def test_where_the_worst_frame_names_no_model_most_of_the_others_decide() -> None:
    votes = Votes()
    for seq, role in enumerate((None, C, C, B)):
        why = "" if role is None else f"the {role} is the odd one out"
        votes.cast(Hit(Kind.DISAGREEMENT, seq, "", Severity.LOW, 1.0, "", suspect_why=why, suspect_role=role))
    assert votes.role(None) == (C, "the candidate is the odd one out")
    assert votes.role(B) == (B, "the baseline is the odd one out")
    assert Votes().role(None) == (None, "")
