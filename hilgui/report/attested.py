"""Says in sentences what really ran the models of a run."""

from __future__ import annotations

from hilgui.records import ModelFacts, RunHeader, provider_name


def attested_in_words(header: RunHeader) -> list[str]:
    """Give a line a model and one on threads; runs stored before there were attestations give the provider alone."""
    lines = [f"{role.value} ran on {model_in_words(facts)}" for role, facts in sorted(header.models.items())]
    return [*lines, header.staffing] if header.staffing else lines


def bench_check_in_words(header: RunHeader) -> str:
    """Say what the self-check of the bench said in the 24 hours before the run, or that there was none."""
    check = header.bench_check
    if not check:
        return "nobody checked the bench in the 24 hours before"
    verdict = str(check.get("verdict", "unknown"))
    what = f"self-check of the bench at {check.get('utc', '–')}: {verdict}"
    bad = [str(look) for look in check.get("what", ()) if f": {verdict}," in str(look)] if verdict != "fit" else []
    return f"{what} ({'; '.join(bad)})" if bad else what


def model_in_words(facts: ModelFacts) -> str:
    """Say what ran a model: nodes, device, driver, libraries, share of the time of each provider."""
    made_of = facts.attestation
    if made_of is None:
        return f"{facts.runs_on} ({facts.device})"
    where = facts.device + (f", driver {made_of.driver}" if made_of.driver else "")
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(made_of.libraries.items()))
    words = f"{facts.runs_on} ({where}; {libraries})"
    if len(made_of.share) > 1:
        shares = ", ".join(f"{provider_name(name)} {share:.0%}" for name, share in sorted(made_of.share.items()))
        words += f"; of the node time {shares}"
    return words
