"""What this machine has, what is missing and how to get it; everything here is found without Qt."""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)

Status = Literal["ok", "warning", "missing"]

PACKAGES = ("numpy", "opencv-python", "onnxruntime", "av", "PySide6-Essentials", "pydantic", "pyqtgraph", "pyserial")
CODECS = ("h264", "hevc", "vp9", "av1", "mjpeg", "mpeg4")
DEMO = ("demo/day.mp4", "demo/dusk_rain.mp4", "demo/night.mp4", "demo/baseline.onnx", "demo/candidate.onnx")
AGAIN = "install hilgui again (python3 bootstrap.py install)"
_TOOL_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at; `advice` says what to do where it is not ok."""

    name: str
    status: Status
    value: str
    advice: str = ""


def report() -> list[Item]:
    """Examine the machine; takes a few seconds, longer with a GPU. Never raises."""
    looks: dict[str, Callable[[], Iterable[Item]]] = {
        "versions": versions,
        "packages": owners,
        "settings": settings,
        "processor": processor,
        "providers": providers,
        "codecs": codecs,
        "plug-ins": plugins,
        "demo": demo_files,
        "display": display,
        "cameras": cameras,
        "serial ports": serial_ports,
        "rig scheduling": rig_scheduling,
    }
    return [item for name, look in looks.items() for item in _looked(name, look)]


def _looked(name: str, look: Callable[[], Iterable[Item]]) -> list[Item]:
    try:
        return list(look())
    except Exception as failure:  # drivers and foreign packages, broken in ways nobody foresees, are what this is for
        log.debug("doctor cannot look at %s", name, exc_info=True)
        return [Item(name, "warning", f"cannot be examined: {type(failure).__name__}: {failure}", AGAIN)]


def versions() -> list[Item]:
    """Python, hilgui with its commit, and the packages that do the work."""
    items = [
        Item("python", "ok", f"{platform.python_version()} ({sys.executable})"),
        Item("system", "ok", platform.platform()),
        Item("hilgui", "ok", " ".join(filter(None, (version("hilgui"), _commit())))),
    ]
    for name in PACKAGES:
        try:
            items.append(Item(name, "ok", _version(name)))
        except PackageNotFoundError:
            items.append(Item(name, "missing", "not installed", AGAIN))
    return items


def _version(name: str) -> str:
    if name == "onnxruntime":  # the same module comes as several distributions
        try:
            return f"{version('onnxruntime-gpu')} (onnxruntime-gpu)"
        except PackageNotFoundError:
            return version(name)
    return version(name)


def _commit() -> str:
    from hilgui.resources import checkout

    root = checkout()
    if root is None:
        return ""
    said = _tool("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return f"commit {said} in {root}" if said else f"in {root}"


def owners() -> list[Item]:
    """See that one distribution each owns cv2 and onnxruntime; a second one overwrites the first silently."""
    items = []
    for module in ("cv2", "onnxruntime"):
        names = owners_of(module)
        if len(names) == 1:
            items.append(Item(f"owner of {module}", "ok", names[0]))
        elif names:
            advice = f"pip uninstall -y {' '.join(names)}, then {AGAIN}"
            items.append(Item(f"owner of {module}", "missing", f"{' and '.join(names)} overwrite each other", advice))
        else:
            items.append(Item(f"owner of {module}", "missing", "no package brings it", AGAIN))
    return items


def owners_of(module: str) -> list[str]:
    """Name the installed distributions which bring the package `module`."""
    own = f"{module}/__init__.py"
    return sorted({one.name for one in distributions() if any(str(file) == own for file in one.files or ())})


def settings() -> list[Item]:
    """The settings file and the folder of runs: readable, writable, space enough."""
    from hilgui.errors import HilguiError
    from hilgui.settings import load_settings

    try:
        given = load_settings()
    except HilguiError as failure:
        return [Item("settings", "missing", str(failure), "mend the key that is named")]
    folder = next(path for path in (given.home, *given.home.parents) if path.exists())
    free_mb = shutil.disk_usage(folder).free // 2**20
    items = [Item("runs", "ok", str(given.runs)), Item("free disk", "ok", f"{free_mb} MB in {folder}")]
    if not os.access(folder, os.W_OK):
        items[0] = Item("runs", "missing", f"{folder} cannot be written", "set HILGUI_HOME to a folder of yours")
    if free_mb < given.disk_reserve_mb + given.clips.budget_mb:
        advice = "remove old runs, or set HILGUI_HOME to a folder on a larger disk"
        items[1] = Item("free disk", "warning", f"{free_mb} MB in {folder}", advice)
    return items


def processor() -> list[Item]:
    """Processor, memory and GPU."""
    import psutil

    from hilgui.inference.device import cpu_name, gpu_name

    memory_gb = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    items = [Item("processor", "ok", f"{cpu_name()}, {cores} cores, {memory_gb:.1f} GB memory")]
    gpu = gpu_name()
    if not gpu:
        advice = "nothing to do where the CPU is fast enough; else install the driver of your NVIDIA GPU"
        return [*items, Item("gpu", "warning", "no NVIDIA GPU with a working driver", advice)]
    details = _tool("nvidia-smi", "--query-gpu=driver_version,memory.total", "--format=csv,noheader")
    return [*items, Item("gpu", "ok", f"{gpu} (driver, memory: {details})" if details else gpu)]


def providers() -> list[Item]:
    """Run a small model on each execution provider and say which ones really work."""
    from hilgui.engine.provider_probe import probe
    from hilgui.inference.device import gpu_name

    has_gpu = bool(gpu_name())
    reasons = probe(["cpu", "cuda", "tensorrt"] if has_gpu else ["cpu"])
    items = [_provider(name, reason) for name, reason in reasons.items()]
    if not has_gpu:
        items.append(Item("provider cuda", "warning", "not usable without a GPU", "run with --provider cpu or auto"))
    return items


def _provider(name: str, reason: str) -> Item:
    if not reason:
        return Item(f"provider {name}", "ok", "usable, a model ran on it")
    what, _, how = reason.rpartition("; ")
    optional = name == "tensorrt"  # most benches live without
    return Item(f"provider {name}", "warning" if optional else "missing", what or how, how if what else AGAIN)


def codecs() -> list[Item]:
    """The video decoders that FFmpeg brings."""
    import av
    import av.codec

    present = [name for name in CODECS if _decodes(name)]
    absent = [name for name in CODECS if name not in present]
    value = f"{' '.join(present)} (FFmpeg {av.ffmpeg_version_info})"
    if absent:
        return [Item("video decoders", "missing", f"{value}; without {' '.join(absent)}", AGAIN)]
    return [Item("video decoders", "ok", value)]


def _decodes(name: str) -> bool:
    import av.codec

    try:
        return bool(av.codec.Codec(name, "r"))
    except (ValueError, av.codec.codec.UnknownCodecError):
        return False


def plugins() -> list[Item]:
    """Load every plug-in; name each that does not load."""
    from hilgui.plugins import GROUPS, load

    found = [plugin for group in GROUPS for plugin in load(group).values()]
    broken = [plugin for plugin in found if plugin.target is None]
    working = len(found) - len(broken)
    items = [Item("plug-ins", "ok" if working else "missing", f"{working} work", "" if working else AGAIN)]
    for plugin in broken:
        advice = AGAIN if plugin.origin == "hilgui" else f"install {plugin.origin} again, or remove it"
        name = f"plug-in {plugin.group.removeprefix('hilgui.')}/{plugin.name}"
        items.append(Item(name, "missing", f"of {plugin.origin} does not load: {plugin.reason}", advice))
    return items


def demo_files() -> list[Item]:
    """The drives and models of the demo."""
    from hilgui.resources import shipped

    absent = []
    for name in DEMO:
        try:
            shipped(f"assets/{name}")
        except FileNotFoundError:
            absent.append(name)
    if absent:
        return [Item("demo", "missing", f"without {', '.join(absent)}", AGAIN)]
    return [Item("demo", "ok", f"{sum(name.endswith('.mp4') for name in DEMO)} drives, 2 models")]


def display() -> list[Item]:
    """Whether windows can be opened: a display, and the shared libraries that Qt asks of the system."""
    from hilgui.engine.shared_libraries import install_command, missing_libraries

    items = []
    if sys.platform.startswith("linux"):
        where = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        advice = "start hilgui from a desktop session (or through ssh -X); `hilgui demo --headless` works without"
        items.append(Item("display", "ok", where) if where else Item("display", "warning", "none", advice))
    qt = importlib.util.find_spec("PySide6")
    if qt is None or qt.origin is None:
        return [*items, Item("Qt libraries", "missing", "PySide6 is not installed", AGAIN)]
    missing = missing_libraries(Path(qt.origin).parents[1])
    if missing:
        names = ", ".join(one.name for one in missing)
        return [*items, Item("Qt libraries", "missing", f"without {names}", install_command(missing))]
    return [*items, Item("Qt libraries", "ok", "complete")]


def cameras() -> list[Item]:
    """The cameras that Linux knows; other systems are not asked."""
    if not sys.platform.startswith("linux"):
        return [Item("cameras", "ok", f"not looked for on {platform.system()}")]
    found = [Path("/dev") / path.name for path in sorted(Path("/sys/class/video4linux").glob("video*"))]
    named = [(path, _camera_name(path)) for path in found]
    if not named:
        return [Item("cameras", "ok", "none found")]
    return [_device("camera", str(path), name, "video") for path, name in named]


def _camera_name(path: Path) -> str:
    return (Path("/sys/class/video4linux") / path.name / "name").read_text(encoding="utf-8", errors="replace").strip()


def serial_ports() -> list[Item]:
    """The serial ports."""
    from serial.tools import list_ports

    ports = sorted(list_ports.comports(), key=lambda port: str(port.device))
    if not ports:
        return [Item("serial ports", "ok", "none found")]
    return [_device("serial port", str(port.device), str(port.description), "dialout") for port in ports]


def rig_scheduling() -> list[Item]:
    """How soon the rig supervisor would get the processor."""
    from hilgui.rigs.urgency import HOW_TO, possible_urgency

    urgency = possible_urgency()
    if urgency.is_urgent and not urgency.why:
        return [Item("rig scheduling", "ok", urgency.scheduling)]
    return [Item("rig scheduling", "warning", f"{urgency.scheduling}: {urgency.why}", HOW_TO)]


def _device(kind: str, path: str, description: str, group: str) -> Item:
    if os.name == "posix" and not os.access(path, os.R_OK | os.W_OK):
        if not Path(path).exists():
            return Item(f"{kind} {path}", "warning", f"{description}: the device file is not there", "plug it in again")
        advice = f"sudo usermod -aG {group} $USER, then log in again"
        return Item(f"{kind} {path}", "warning", f"{description}: no permission", advice)
    return Item(f"{kind} {path}", "ok", description)


def _tool(*command: str) -> str:
    """Run a small program; give what it printed, empty where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
