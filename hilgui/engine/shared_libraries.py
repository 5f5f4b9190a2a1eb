"""Shared libraries that the wheels of Qt and OpenCV expect from a Linux system: which are missing, who has them.

Standard library only and no imports of ours: `bootstrap.py` reads this file before anything is installed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libICE.so.6": "libice6",
    "libOpenGL.so.0": "libopengl0",
    "libSM.so.6": "libsm6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


@dataclass(frozen=True)
class Missing:
    """One thing that the system lacks; `package` is Debian's, empty where none is known."""

    name: str
    package: str
    window_only: bool  # pictures can be rendered without it, windows on a screen cannot be opened


def missing_libraries(site_packages: Path) -> list[Missing]:
    """Give what the wheels installed in `site_packages` look for in vain; nothing on other systems than Linux."""
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return []
    platforms = site_packages / "PySide6" / "Qt" / "plugins" / "platforms"
    always = [site_packages / "PySide6" / "QtWidgets.abi3.so", platforms / "libqoffscreen.so"]
    always += site_packages.glob("cv2/cv2*.so")
    needed, for_windows = _without(always), _without([platforms / "libqxcb.so"])
    missing = [Missing(name, DEBIAN_PACKAGES.get(name, ""), False) for name in needed]
    missing += [Missing(name, DEBIAN_PACKAGES.get(name, ""), True) for name in for_windows if name not in needed]
    if not _has_font():
        missing.append(Missing("a font", "fonts-dejavu-core", True))
    return missing


def not_found(listing: str) -> list[str]:
    """Read what ldd printed; give the names of the libraries that it could not find, each once."""
    return list(dict.fromkeys(re.findall(r"^\s*(\S+) => not found", listing, flags=re.MULTILINE)))


def packages_for(missing: Iterable[Missing]) -> list[str]:
    """Give the Debian packages that hold what is missing."""
    return sorted({one.package for one in missing} - {""})


def install_command(missing: Sequence[Missing]) -> str:
    """Give the one command to type, for the package manager that is there."""
    unknown = [one.name for one in missing if not one.package]
    if shutil.which("apt-get") and not unknown:
        return f"sudo apt-get install {' '.join(packages_for(missing))}"
    libraries = [f"{one.name}()(64bit)" for one in missing if ".so" in one.name]
    for tool in ("dnf", "zypper"):
        if shutil.which(tool):
            fonts = ["dejavu-sans-fonts"] if len(libraries) < len(missing) else []
            return f"sudo {tool} install {shlex.join([*libraries, *fonts])}"
    return f"install with your package manager what holds {', '.join(one.name for one in missing)}"


def _without(files: Sequence[Path]) -> list[str]:
    present = [str(path) for path in files if path.exists()]
    if not present:
        return []
    return not_found(subprocess.run(["ldd", *present], capture_output=True, text=True, check=False).stdout)


def _has_font() -> bool:
    return any(True for folder in _FONT_FOLDERS for _ in Path(folder).expanduser().rglob("*.[ot]tf"))
