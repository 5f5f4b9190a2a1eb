"""One run = one folder: a SQLite database and the pictures of its clips."""

from hilgui.store.folder import campaign, find_run, is_run, new_run_id, refuse_emptied, run_folders
from hilgui.store.listing import RunSummary, list_runs, summarise
from hilgui.store.pictures import NOTHING_EVICTED, Clip, ClipKeeper, Evicted, Picture
from hilgui.store.reader import RunReader, Series, state_of
from hilgui.store.recovery import close_dead_run, relink
from hilgui.store.timeline import RoleTimeline, Timeline
from hilgui.store.writer import RunWriter

__all__ = [
    "NOTHING_EVICTED",
    "Clip",
    "ClipKeeper",
    "Evicted",
    "Picture",
    "RoleTimeline",
    "RunReader",
    "RunSummary",
    "RunWriter",
    "Series",
    "Timeline",
    "campaign",
    "close_dead_run",
    "find_run",
    "is_run",
    "list_runs",
    "new_run_id",
    "refuse_emptied",
    "relink",
    "run_folders",
    "state_of",
    "summarise",
]
