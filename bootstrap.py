#!/usr/bin/env python3
"""Make everything hilgui needs on a fresh machine, then do what was asked.

    python3 bootstrap.py demo [--headless]   replay the demo drives and open the application on the result
    python3 bootstrap.py test [pytest args]  run the gate: ruff, mypy, import-linter, pytest without its slow tests
    python3 bootstrap.py test --slow         the same with the slow tests, before a release
    python3 bootstrap.py install             only prepare .venv

Standard library only. Running it again is quick and needs no network: a stamp in .venv says what is already there.
Exit codes: 0 good, 1 the gate is red, 2 the call is wrong, 4 the machine lacks something, 130 stopped.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # an older Python has to be able to read this far
    sys.exit(
        "hilgui needs Python 3.11 or newer, and %s is %d.%d. Install a newer one and name it: python3.11 bootstrap.py"  # noqa: UP031
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )

import argparse
import hashlib
import importlib.util
import json
import os
import queue
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".hilgui-bootstrap.json"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
SPACE_NEEDED_MB = 2500  # measured: the environment takes 1.2 GB; the rest is room for pip to download and unpack

SLOW = "--slow"
END = "\n"  # no line that was read holds one
NOISE = re.compile(r"^(WARNING: Location|WARNING: Running pip as|Looking in|\[notice\]|\s*$)")
HINTS = (  # what pip says, and what to try
    (
        r"No space left|Errno 28",
        f"free {SPACE_NEEDED_MB} MB (pip unpacks in the folder that TMPDIR names) and run it again",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a file that arrived is not the pinned one: empty pip's cache (pip cache purge), try again",
    ),
    (
        r"Name or service|name resolution|NewConnection|ConnectTimeout|ReadTimeout|ProxyError|SSLError|unreachable",
        "connect this machine to the network once (HTTPS_PROXY names a proxy, PIP_INDEX_URL a mirror), run it again",
    ),
    (
        r"No matching distribution|Could not find a version",
        "the package index does not answer, or has no ready-made package for this Python; "
        "look at the network, or try Python 3.11 to 3.13",
    ),
    (r"Permission denied|Errno 13|Read-only file system|Errno 30", "use a copy of the checkout where you may write"),
)


class Trouble(Exception):
    """A step that cannot be done: which one, why, what to try."""

    def __init__(self, step: str, why: str, advice: str) -> None:
        super().__init__(f"bootstrap: {step} failed: {why}\nTry: {advice}")


class Display:
    """One line a step; on a terminal the line of the running step is renewed, elsewhere it is printed now and then."""

    WIDTH = 14
    EVERY_S = 20.0

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._step, self._text, self._started, self._printed = "", "", 0.0, 0.0

    def begin(self, step: str) -> None:
        """Name the step that starts now."""
        self._step, self._text, self._started, self._printed = step, "", time.monotonic(), time.monotonic()
        self.tell("")

    def tell(self, text: str) -> None:
        """Show how far the running step is; an empty text keeps the last one and renews the time."""
        self._text = text or self._text
        if self._terminal:
            columns = shutil.get_terminal_size().columns
            self._write(f"\r\033[K{self._line('…', self._text)[: columns - 1]}")
        elif time.monotonic() - self._printed >= self.EVERY_S:
            self._printed = time.monotonic()
            self._write(self._line("…", self._text) + "\n")

    def end(self, mark: str, text: str = "") -> None:
        """Close the line of the step."""
        self._write(("\r\033[K" if self._terminal else "") + self._line(mark, text) + "\n")

    def _line(self, mark: str, text: str) -> str:
        return f"  {self._step:<{self.WIDTH}} {mark:<6} {time.monotonic() - self._started:6.1f} s   {text}".rstrip()

    def _write(self, text: str) -> None:
        try:
            print(text, end="", flush=True)
        except UnicodeEncodeError:  # a console without our dots and dashes
            print(text.encode("ascii", "replace").decode(), end="", flush=True)
        except BrokenPipeError:  # the reader went away; the work goes on
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare the environment, then run the demo or the gate."""
    parser = argparse.ArgumentParser(
        prog="bootstrap.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("demo", "test", "install"), help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    call = parser.parse_args(arguments)
    if call.what is None:
        parser.print_help()
        return 0
    if call.what == "install" and call.rest:
        parser.error(f"install takes no further arguments, got {shlex.join(call.rest)}")
    display = Display()
    try:
        prepare("dev" if call.what == "test" else "run", display)
        if call.what == "demo":
            return demo(call.rest)
        if call.what == "test":
            fetch_test_tools(display)
            return gate(call.rest, display)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        print("\nbootstrap: stopped. Run it again to go on.", file=sys.stderr)
        return 130
    print(f"\nhilgui is ready: {shlex.quote(str(PYTHON.parent / 'hilgui'))}")
    return 0


# --- what is already there -------------------------------------------------------------------------------------------


def digest(path: Path) -> str:
    """Give the sha256 of a file of the checkout."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as failure:
        raise Trouble(
            "checkout", f"{path} cannot be read ({failure.strerror})", "take a complete checkout"
        ) from failure


def wanted(kind: str) -> dict[str, str]:
    """Say what the stamp must hold for `run` or `dev`; dev.txt pins everything of run.txt at the same versions."""
    files = ["run.txt", "dev.txt"] if kind == "dev" else ["run.txt"]
    return {
        "root": str(ROOT),  # a checkout that moved has scripts and links to the old place
        "pyproject": digest(ROOT / "pyproject.toml"),  # entry points are registered only when installing
        **{name: digest(ROOT / "requirements" / name) for name in files},
    }


def read_stamp() -> dict[str, str]:
    """Read what the last bootstrap left; empty where it is missing or damaged."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Leave the stamp in one piece or not at all."""
    fresh = STAMP.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        fresh.replace(STAMP)
    except OSError as failure:
        raise Trouble("environment", f"{STAMP} cannot be written ({failure.strerror})", HINTS[-1][1]) from failure


@dataclass(frozen=True)
class Work:
    """What a bootstrap has to do; `rebuild` says why the environment is made anew, empty where it stays."""

    rebuild: str
    requirements: bool
    project: bool
    libraries: bool


def plan(stamp: dict[str, str], want: dict[str, str], interpreter: str) -> Work:
    """Compare the stamp with what is wanted; `interpreter` is the real path behind .venv's python, empty if none."""
    rebuild = ""
    if not interpreter:
        rebuild = "new"
    elif stamp.get("state") == "installing":
        rebuild = "the last installation was interrupted"
    elif stamp and stamp.get("root") != want["root"]:
        rebuild = "the checkout has moved"
    elif stamp and stamp.get("interpreter") != interpreter:
        rebuild = "Python has changed"
    if rebuild:
        return Work(rebuild, requirements=True, project=True, libraries=True)
    return Work(
        "",
        requirements=any(stamp.get(name) != want[name] for name in want if name.endswith(".txt")),
        project=stamp.get("pyproject") != want["pyproject"],
        libraries=stamp.get("libraries") != "complete",
    )


def interpreter_of_environment() -> str:
    """Give the real path of .venv's python, empty where there is none that could start."""
    return os.path.realpath(PYTHON) if PYTHON.exists() else ""


# --- preparing -------------------------------------------------------------------------------------------------------


def prepare(kind: str, display: Display) -> None:
    """Bring .venv to what `kind` (run or dev) needs; does nothing, without network, where that is already so."""
    want, stamp = wanted(kind), read_stamp()
    work = plan(stamp, want, interpreter_of_environment())
    if not stamp and not work.rebuild and not has_pip():
        work = Work("the environment was half made", requirements=True, project=True, libraries=True)
    if work == Work("", False, False, False):
        return
    print(f"Preparing {VENV} with Python {sys.version_info[0]}.{sys.version_info[1]}")
    if work.rebuild:
        make_environment(work.rebuild, display)
        stamp = {}
    stamp["interpreter"], stamp["root"] = interpreter_of_environment(), want["root"]
    if work.requirements or work.project:
        install(kind, work, stamp, want, display)
    if work.libraries:
        check_libraries(stamp, display)
    write_stamp(stamp)


def has_pip() -> bool:
    """Say whether .venv's python starts and finds pip."""
    try:
        return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_environment(why: str, display: Display) -> None:
    """Make .venv, empty; what was there is thrown away."""
    display.begin("environment")
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        problem = apt_install([package], display)
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is None:
            display.end("FAILED")
            why = f"this Python cannot make environments, it has no ensurepip; {problem}"
            raise Trouble("environment", why, f"sudo apt-get install {package}")
    if shutil.disk_usage(ROOT).free < SPACE_NEEDED_MB * 2**20:
        display.end("FAILED")
        free = shutil.disk_usage(ROOT).free // 2**20
        raise Trouble("environment", f"{free} MB are free in {ROOT}", f"free {SPACE_NEEDED_MB} MB and run it again")
    if VENV.exists() and not VENV.is_dir():
        display.end("FAILED")
        raise Trouble("environment", f"{VENV} is in the way, it is no folder", "remove or rename it")
    if not os.access(ROOT, os.W_OK):
        display.end("FAILED")
        raise Trouble("environment", f"{VENV} cannot be made there", "use a copy of the checkout where you may write")
    base = getattr(sys, "_base_executable", None) or sys.executable
    code, lines = follow([base, "-m", "venv", "--clear", str(VENV)], lambda line: None)
    if code != 0:
        display.end("FAILED")
        raise Trouble("environment", reason_in(lines), hint_for(lines) or f"remove {VENV} and run it again")
    display.end("ok", "" if why == "new" else f"made anew: {why}")


def install(kind: str, work: Work, stamp: dict[str, str], want: dict[str, str], display: Display) -> None:
    """Install the pinned requirements and the project; the stamp says `installing` meanwhile."""
    before = dict(stamp)
    write_stamp({**stamp, "state": "installing"})
    if work.requirements:
        pip(
            "requirements",
            ["--require-hashes", "--only-binary=:all:", "-r", f"requirements/{kind}.txt"],
            before,
            display,
        )
        stamp.update({name: value for name, value in want.items() if name.endswith(".txt")})
    if work.project:
        pip("project", ["--no-index", "--no-deps", "--no-build-isolation", "--editable", "."], before, display)
        stamp["pyproject"] = want["pyproject"]


def pip(step: str, arguments: list[str], before: dict[str, str], display: Display) -> None:
    """Run `pip install`; its many lines become one."""
    display.begin(step)
    progress = PipProgress()
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    code, lines = follow([*command, *arguments], lambda line: display.tell(progress.after(line)))
    if code == 0:
        display.end("ok", progress.summary() if step == "requirements" else "")
        return
    display.end("FAILED")
    if code > 0:  # pip gave up by itself and cleaned up; killed, it may have left half a package
        write_stamp(before)
    by_hand = shlex.join([str(PYTHON), "-m", "pip", "install", *arguments])
    raise Trouble(
        step, reason_in(lines), hint_for(lines) or f"remove {VENV} and run it again, or see all of: {by_hand}"
    )


class PipProgress:
    """Reads pip's output and says in a few words how far it is."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._total = 0
        self._now = ""

    def after(self, line: str) -> str:
        """Take one line, empty for none within the last second; give the text to show."""
        words = line.split()
        if words[:1] == ["Collecting"] and len(words) > 1:
            self._found.add(words[1])
        elif words[:1] == ["Downloading"] and len(words) > 1:
            self._now = f"downloading {words[1].rsplit('/', 1)[-1].split('-')[0]} {' '.join(words[2:])}"
        elif line.startswith("Installing collected packages:"):
            self._total = line.count(",") + 1
        if self._total:
            return f"installing {self._total} packages"
        return f"{len(self._found)} packages found  {self._now}".rstrip()

    def summary(self) -> str:
        """Say what was done."""
        return f"{self._total} packages installed" if self._total else "everything was there"


def follow(command: list[str], on_line: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run a command to its end, give its exit code and output; `on_line` is also called in every second of silence."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines: list[str] = []
    arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=read_lines, args=(process, arrived), name="output of " + command[0])
    reader.start()
    try:
        for line in until_closed(arrived):
            if line is not None:
                lines.append(line)
            on_line(line or "")
    except BaseException:
        process.terminate()
        raise
    finally:
        code = process.wait()
        reader.join()
    return code, lines


def read_lines(process: subprocess.Popen[str], arrived: "queue.SimpleQueue[str]") -> None:
    """Hand on what a process prints, END after the last line; runs on a thread of its own."""
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            arrived.put(line.rstrip())
    arrived.put(END)


def until_closed(arrived: "queue.SimpleQueue[str]") -> Iterator[str | None]:
    """Give lines as they come, None for every second of silence."""
    while True:
        try:
            line = arrived.get(timeout=1.0)
        except queue.Empty:
            yield None
            continue
        if line == END:
            return
        yield line


def environment() -> dict[str, str]:
    """Give our environment without what would make a child find other packages or install elsewhere."""
    foreign = {"PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES"}
    return {**{name: value for name, value in os.environ.items() if name not in foreign}, "PYTHONNOUSERSITE": "1"}


def reason_in(lines: list[str]) -> str:
    """Pick the lines that say why a command failed."""
    told = [line for line in lines if not NOISE.match(line)]
    errors = [line for line in told if line.lstrip().lower().startswith(("error", "fatal"))]
    return "\n  ".join((errors or told)[-4:]) or "the command ended without a word"


def hint_for(lines: list[str]) -> str:
    """Give the advice for the first known cause in the output, empty for an unknown one."""
    text = "\n".join(lines)
    return next((advice for pattern, advice in HINTS if re.search(pattern, text)), "")


# --- shared libraries ------------------------------------------------------------------------------------------------


def check_libraries(stamp: dict[str, str], display: Display) -> None:
    """See that Qt and OpenCV find the system's libraries and a font; as root on Debian, install what is missing."""
    libraries = shared_libraries()
    folder = next(VENV.glob("lib/python3*/site-packages"), VENV)
    display.begin("libraries")
    missing = libraries.missing_libraries(folder)
    command = libraries.install_command(missing)
    problem = apt_install(libraries.packages_for(missing), display) if missing else ""
    missing = libraries.missing_libraries(folder) if missing else []
    names = ", ".join(one.name for one in missing)
    if any(not one.window_only for one in missing):
        display.end("FAILED")
        write_stamp(stamp)
        raise Trouble("libraries", f"Qt and OpenCV need {names}; {problem}", command)
    if missing:  # enough for tests and for work without a screen
        display.end("partly", f"windows need {names}. Type: {command}")
        return
    stamp["libraries"] = "complete"
    display.end("ok")


def shared_libraries() -> ModuleType:
    """Load the page of hilgui that knows them; by its file, because its neighbours import what is not installed yet."""
    spec = importlib.util.spec_from_file_location(
        "shared_libraries", ROOT / "hilgui" / "engine" / "shared_libraries.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def apt_install(packages: list[str], display: Display) -> str:
    """Install Debian packages where this is root on Debian; give the problem, empty when there was none."""
    if not shutil.which("apt-get"):
        return "there is no apt-get here to install it with"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "installing it takes the rights of root"
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    code, lines = 0, [""]
    for step in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
        code, lines = follow(step, lambda line: display.tell(f"apt: {line}" if line else ""))
    return "" if code == 0 else f"apt says: {reason_in(lines)}"


def fetch_test_tools(display: Display) -> None:
    """Install what some tests drive beside Python, as root on Debian; where it is missing they skip and say why."""
    if not shutil.which("dpkg-query"):
        return
    lines = (ROOT / "requirements" / "debian-tests.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *wanted]
    known = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    missing = [name for name in wanted if f"{name} installed" not in known]
    if missing:
        display.begin("test tools")
        problem = apt_install(missing, display)
        display.end(
            "partly" if problem else "ok", f"tests skip without {', '.join(missing)}: {problem}" if problem else ""
        )


# --- what was asked for ----------------------------------------------------------------------------------------------


def demo(arguments: Sequence[str]) -> int:
    """Run the demo in the environment; without a display it shows its pictures as files."""
    arguments = list(arguments)
    if not has_display() and "--headless" not in arguments:
        arguments.append("--headless")
    command = [str(PYTHON), "-m", "hilgui", "demo", *arguments]
    sys.stdout.flush()
    if WINDOWS:
        return subprocess.call(command, env=environment())
    os.execve(command[0], command, environment())


def has_display() -> bool:
    """Say whether a window can be opened."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def gate(pytest_arguments: Sequence[str], display: Display) -> int:
    """Run every check, also after a red one; print what a red one said, and pytest's closing line last."""
    lint_imports = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    steps = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "lint-imports": ["-c", lint_imports],
        "pytest": ["-m", "pytest", "-rfEs", "--color=no", *wanted_tests(pytest_arguments)],
    }
    red: list[str] = []
    lines: list[str] = []
    for step, arguments in steps.items():
        display.begin(step)
        code, lines = follow([str(PYTHON), *arguments], lambda line: display.tell(percent_in(line)))
        display.end("ok" if code == 0 else "FAILED")
        if code != 0:
            red.append(step)
            print("\n".join(f"    {line}" for line in lines), flush=True)
    for line in lines:
        if line.startswith("SKIPPED"):
            print(f"    {line}")
    print(f"The gate is {'red: ' + ', '.join(red) if red else 'green'}.")
    print(next((line for line in reversed(lines) if line), "pytest said nothing"))
    return 1 if red else 0


def wanted_tests(arguments: Sequence[str]) -> list[str]:
    """Give pytest's arguments. Without a choice: all but slow ones, on every core, a file of tests staying on one."""
    given = [argument for argument in arguments if argument != SLOW]
    if any(not argument.startswith("-") for argument in given):
        return given  # single tests start faster alone, and are wanted also where they are slow
    which = [] if SLOW in arguments else ["-m", "not slow"]
    return ["-n", "auto", "--dist", "loadfile", *which, *given]


def percent_in(line: str) -> str:
    """Find how far pytest is."""
    found = re.search(r"\[ *(\d+)%\]$", line)
    return f"{found[1]} %" if found else ""


if __name__ == "__main__":
    sys.exit(main())
