"""Two plans of a gate compared: which limits got looser. Loosening takes two people, tightening none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LESS_IS_LOOSER = (
    "data.min_clusters",
    "data.min_frames",
    "statistics.rollback.alpha_early",
    "statistics.rollback.alpha_final",
    "statistics.slices.q",
    "signoff.people",
)
_MORE_IS_LOOSER = (
    "data.max_unpaired_fraction",
    "data.max_truth_sync_ms",
    "statistics.alpha",
    "statistics.rollback.min_clusters",
    "statistics.slices.min_objects",
)
_GONE_IS_LOOSER = (
    ("statistics.rollback.sequential", ("confidence_sequence",)),
    ("statistics.slices.action", ("HOLD",)),
    ("subject.stage", ("production", "canary")),
)


def loosened(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what is looser in the later plan, both as plain JSON values with every default; empty where nothing is.

    A change whose direction cannot be told (another metric, another comparison) counts as looser.
    """
    found = [*_settings(before, after), *_subject(before, after), *_invariants(before, after), *_gates(before, after)]
    return tuple(found)


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for path in _LESS_IS_LOOSER:
        was, now = _at(before, path), _at(after, path)
        if now < was:
            yield f"{path} was {was:g}, is {now:g}"
    for path in _MORE_IS_LOOSER:
        was, now = _at(before, path), _at(after, path)
        if now > was:
            yield f"{path} was {was:g}, is {now:g}"
    for path, strict in _GONE_IS_LOOSER:
        was, now = _at(before, path), _at(after, path)
        if was in strict and now not in strict:
            yield f"{path} was {was}, is {now}"
    for action in sorted(set(_at(before, "signoff.required_for")) - set(_at(after, "signoff.required_for"))):
        yield f"{action} takes no agreement any more"


def _subject(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in ("baseline", "candidate"):
        if before["subject"][name] is not None and after["subject"][name] is None:
            yield f"the plan names no {name} any more"
    was, now = _at(before, "subject.runtime.provider"), _at(after, "subject.runtime.provider")
    if was is not None and now != was:
        yield f"the execution provider was {was}, is {now or 'any'}"


def _invariants(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    later = {one["id"]: one for one in after["invariants"]}
    for one in before["invariants"]:
        now = later.get(one["id"])
        if now is None:
            yield f"invariant {one['id']} is gone"
        elif now["metric"] != one["metric"]:
            yield f"invariant {one['id']} asked for {one['metric']}, asks for {now['metric']}"
        elif _is_looser(one["limit"], now["limit"]):
            yield f"invariant {one['id']}: the limit was {one['limit']}, is {now['limit']}"


def _gates(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    later = {one["id"]: one for one in after["gates"]}
    for one in before["gates"]:
        now = later.get(one["id"])
        if now is None:
            if one["role"] == "non_inferiority":
                yield f"gate {one['id']} is gone"
        elif any(now[name] != one[name] for name in ("metric", "slice", "role", "better")):
            yield f"gate {one['id']} asks another question than before"
        elif (now["margin"] or 0) > (one["margin"] or 0):
            yield f"gate {one['id']}: the margin was {one['margin']:g}, is {now['margin']:g}"
    known = {one["id"] for one in before["gates"]}
    for one in after["gates"]:
        if one["role"] == "superiority" and one["id"] not in known:
            yield f"gate {one['id']} is one more way to be better"


def _is_looser(before: str, after: str) -> bool:
    (was, was_limit), (now, now_limit) = _split(before), _split(after)
    if was[0] != now[0] or was in ("==", "!="):
        return (was, was_limit) != (now, now_limit)
    if was_limit == now_limit:
        return len(now) > len(was)  # "<" became "<="
    return now_limit > was_limit if was[0] == "<" else now_limit < was_limit


def _split(limit: str) -> tuple[str, float]:
    operator, _, number = limit.strip().rpartition(" ")
    if not operator:
        operator = limit.strip().rstrip("0123456789.eE+-")
        number = limit.strip()[len(operator) :]
    return operator.strip(), float(number)


def _at(plan: Mapping[str, Any], path: str) -> Any:
    value: Any = plan
    for name in path.split("."):
        value = value[name]
    return value
