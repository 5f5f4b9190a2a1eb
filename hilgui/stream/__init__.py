"""How threads talk and stop: bounded channels, one-slot mailboxes, stop tokens, named workers, pace, meters."""

from hilgui.stream.channel import Channel, Closed, Overflow
from hilgui.stream.in_order import in_order
from hilgui.stream.mailbox import Mailbox
from hilgui.stream.meter import RateMeter
from hilgui.stream.pace import Pace
from hilgui.stream.stop import StopToken
from hilgui.stream.worker import Crew

__all__ = ["Channel", "Closed", "Crew", "Mailbox", "Overflow", "Pace", "RateMeter", "StopToken", "in_order"]
