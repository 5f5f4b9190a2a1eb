"""What each kind of corner case is: its level, and the triggering condition that it may point at."""

from __future__ import annotations

from typing import NamedTuple

from hilgui.records import Kind, Level, Suspect


class Nature(NamedTuple):
    """What holds for every finding of a kind.

    `trigger` is a triggering condition in the sense of ISO 21448 (SOTIF), "" where the kind points at none;
    `suspect` is who is suspected while no rule says otherwise.
    """

    level: Level
    trigger: str
    suspect: Suspect


_HARD_TO_SEE = "an object that is hard to see: dark, small, partly hidden, or of unusual looks"
_LOOKALIKE = "something that looks like a road user: reflection, poster, shadow, pole"
_BLINDED = "the camera is blinded: low sun, headlights, exit of a tunnel"

NATURES: dict[Kind, Nature] = {
    Kind.MISSED_CRITICAL: Nature(Level.OBJECT, _HARD_TO_SEE, Suspect.MODEL),
    Kind.MISSED_OBJECT: Nature(Level.OBJECT, _HARD_TO_SEE, Suspect.MODEL),
    Kind.PHANTOM: Nature(Level.OBJECT, _LOOKALIKE, Suspect.MODEL),
    Kind.FLICKER: Nature(Level.SCENARIO, "an object at the edge of what the model recognises", Suspect.MODEL),
    Kind.SHORT_LIVED: Nature(Level.SCENARIO, _LOOKALIKE, Suspect.MODEL),
    Kind.DUPLICATE: Nature(Level.SCENE, "objects that overlap, or parts that look like wholes", Suspect.MODEL),
    Kind.CLASS_FLIP: Nature(Level.OBJECT, "an object between two classes", Suspect.MODEL),
    Kind.IDENTITY_SWITCH: Nature(Level.SCENARIO, "objects that cross or hide each other", Suspect.MODEL),
    Kind.JITTER: Nature(Level.SCENARIO, "an outline that is hard to see", Suspect.MODEL),
    Kind.LATE_DETECTION: Nature(Level.SCENARIO, "an object that comes into view suddenly or far away", Suspect.MODEL),
    Kind.GAP: Nature(Level.SCENARIO, "an object that is hidden or blends in for a while", Suspect.MODEL),
    Kind.POOR_LOCALISATION: Nature(Level.OBJECT, "an outline that is hard to see, or a group", Suspect.MODEL),
    Kind.DISAGREEMENT: Nature(Level.SCENE, "a scene that one of the models knows less well", Suspect.MODEL),
    Kind.BORDERLINE: Nature(Level.OBJECT, "an object at the edge of what the model recognises", Suspect.MODEL),
    Kind.OVERCONFIDENT: Nature(Level.OBJECT, _LOOKALIKE, Suspect.MODEL),
    Kind.DRIFT: Nature(Level.DOMAIN, "surroundings that changed: light, weather, place", Suspect.MODEL),
    Kind.FROZEN_FRAME: Nature(Level.PIXEL, "", Suspect.RIG),
    Kind.BLACK_FRAME: Nature(Level.PIXEL, "no light, or a covered lens", Suspect.RIG),
    Kind.OVER_EXPOSED: Nature(Level.PIXEL, _BLINDED, Suspect.RIG),
    Kind.BLUR: Nature(Level.PIXEL, "fog, spray, dirt or water on the lens, defocus, fast motion", Suspect.RIG),
    Kind.NOISE_BURST: Nature(Level.PIXEL, "interference, or a sensor at high gain", Suspect.RIG),
    Kind.TIME_FAULT: Nature(Level.SCENARIO, "", Suspect.TIMING),
    Kind.DEADLINE_MISS: Nature(Level.SCENARIO, "", Suspect.TIMING),
    Kind.INVALID_OUTPUT: Nature(Level.DOMAIN, "", Suspect.MODEL),
}
