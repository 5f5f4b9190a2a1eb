"""The program inside the bundle: the command line, after what a frozen child process needs first."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # an engine process starts here too, and must not get further

    from hilgui.cli import main

    sys.exit(main())
