"""Everything the application can do, on the command line."""

from hilgui.cli.app import main

__all__ = ["main"]
