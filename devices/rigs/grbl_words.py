"""What Grbl's error and alarm codes mean (grbl v1.1 interface, doc/csv/error_codes_en_US.csv and alarm_codes)."""

from __future__ import annotations

from collections.abc import Mapping

ERRORS: Mapping[int, str] = {
    1: "a word of the line has no letter",
    2: "a number is malformed",
    3: "the $ command is not known",
    4: "a value that may not be negative is",
    5: "homing is switched off ($22=0)",
    6: "the step pulse is too short",
    7: "the settings memory could not be read and was reset",
    8: "it is not idle",
    9: "it is locked by an alarm or moves by hand",
    10: "soft limits need homing ($22=1)",
    11: "the line is too long",
    12: "the step rate is beyond what it can do",
    13: "the safety door is open",
    14: "the line is too long for the settings memory",
    15: "the target is outside the travel",
    16: "the jog command is malformed",
    17: "laser mode needs a PWM output",
    20: "the G-code is not supported",
    21: "two G-codes of one group contradict each other",
    22: "there is no feed rate",
    23: "a G-code needs a whole number",
    24: "two G-codes of the line need the axis words",
    25: "a word is repeated",
    26: "the line has no axis words",
    27: "the line number is out of range",
    28: "a value is missing",
    29: "the work coordinate system does not exist",
    30: "G53 needs G0 or G1",
    31: "there are axis words that nothing uses",
    32: "an arc has no words of its plane",
    33: "the target is invalid",
    34: "the arc has an impossible radius",
    35: "the arc has no offset",
    36: "there are words that nothing uses",
    37: "the tool length offset is not on its axis",
    38: "the tool number is too large",
}

ALARMS: Mapping[int, str] = {
    1: "a limit switch was hit; the position is lost",
    2: "a target was outside the travel; the position is kept",
    3: "it was reset while moving; the position may be lost",
    4: "the probe was not in its first state",
    5: "the probe met nothing",
    6: "homing was reset",
    7: "the safety door was opened while homing",
    8: "homing: the switch stayed closed while pulling off",
    9: "homing: no switch was found within the travel",
}

CRITICAL = frozenset({1, 2})  # after these the firmware answers nothing but a soft reset
