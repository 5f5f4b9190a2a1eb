"""`python -m hilgui` is the command line."""

import multiprocessing
import sys

from hilgui.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
