"""What software this bench is made of: CycloneDX 1.6, from the installed distributions; no registry is asked."""

from __future__ import annotations

import json
import platform
import re
import uuid
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any

from hilgui import __version__
from hilgui.evidence.chain import canonical, sha256


@cache
def sbom() -> bytes:
    """Give the document; the same installation gives the same bytes."""
    found = {_name(one): one for one in distributions() if one.metadata["Name"]}
    components = [_component(found[name]) for name in sorted(found) if name != "hilgui"]
    named = set(found)
    dependencies = [
        {"ref": _purl(found[name]), "dependsOn": sorted({_purl(found[need]) for need in _needs(found[name]) & named})}
        for name in sorted(found)
    ]
    serial = uuid.UUID(sha256(canonical([components, dependencies]))[:32], version=4)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": f"pkg:pypi/hilgui@{__version__}", "name": "hilgui",
                "version": __version__, "purl": f"pkg:pypi/hilgui@{__version__}",
            },
            "properties": [{"name": "python", "value": platform.python_version()}],
        },
        "components": components,
        "dependencies": dependencies,
    }  # fmt: skip
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _component(one: Distribution) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.metadata["Name"],
        "version": one.version,
        "purl": _purl(one),
    }
    licence = _field(one, "License-Expression")
    if licence:
        component["licenses"] = [{"expression": licence}]
    elif (told := _field(one, "License").strip()) and len(told) < 100 and "\n" not in told:
        component["licenses"] = [{"license": {"name": told}}]
    return component


def _field(one: Distribution, name: str) -> str:
    return str(one.metadata[name]) if name in one.metadata else ""


def _needs(one: Distribution) -> set[str]:
    lines = [line for line in one.requires or () if "extra ==" not in line]
    return {_normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines}


def _purl(one: Distribution) -> str:
    return f"pkg:pypi/{_name(one)}@{one.version}"


def _name(one: Distribution) -> str:
    return _normal(one.metadata["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
