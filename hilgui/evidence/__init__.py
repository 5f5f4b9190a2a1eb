"""Evidence: hash-chained journal, signatures, bundles that a stranger can check, incidents."""

from hilgui.evidence.decisions import Decisions, Recorded
from hilgui.evidence.incidents import (
    Incident,
    Incidents,
    IncidentSeverity,
    IncidentState,
    Trigger,
    playbook,
    severity_of,
    trigger_of,
)
from hilgui.evidence.intake import Intake, keep_up
from hilgui.evidence.journal import Event, EventKind, Journal
from hilgui.evidence.keys import Key, KeyRing, Signer, from_system_keyring, into_system_keyring, read_key
from hilgui.evidence.loosening import loosened
from hilgui.evidence.promotion import FIELD, containing, promote, roll_back_if_told, witness
from hilgui.evidence.states_keeper import StatesKeeper

__all__ = [
    "FIELD",
    "Decisions",
    "Event",
    "EventKind",
    "Incident",
    "IncidentSeverity",
    "IncidentState",
    "Incidents",
    "Intake",
    "Journal",
    "Key",
    "KeyRing",
    "Recorded",
    "Signer",
    "StatesKeeper",
    "Trigger",
    "containing",
    "from_system_keyring",
    "into_system_keyring",
    "keep_up",
    "loosened",
    "playbook",
    "promote",
    "read_key",
    "roll_back_if_told",
    "severity_of",
    "trigger_of",
    "witness",
]
