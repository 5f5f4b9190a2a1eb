"""Which file of a bundle supports which clause. "Supports", never "compliant with": that is for an assessor to say."""

from __future__ import annotations

from collections.abc import Iterator

CLAUSES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ISO 26262-8, clause 11", "confidence in the use of software tools", ("tool_validation.json", "sbom.cdx.json")),
    ("ISO 21448, clause 7", "evaluation of triggering conditions", ("cases/", "metrics.json")),
    ("ISO 21448, clause 9", "verification and validation strategy", ("decisions/decision.json", "data_sheet.md")),
    ("ISO 21448, clause 10", "evaluation of known scenarios", ("metrics.json", "cases/")),
    ("ISO 21448, clause 11", "evaluation of unknown scenarios", ("cases/", "robustness.json")),
    ("ISO 21448, clause 13", "operation phase activities", ("monitoring.json", "incidents/")),
    ("ISO/PAS 8800", "safety of AI: data, evaluation, argument", ("data_sheet.md", "metrics.json", "gsn.yaml")),
    ("UL 4600", "safety case with evidence that can be traced", ("gsn.yaml", "manifest.json", "events.jsonl")),
    ("EU AI Act, Annex IV 2(g)", "validation, testing, test logs", ("decisions/decision.json", "report.html")),
    ("EU AI Act, Article 12", "record-keeping", ("events.jsonl", "checkpoints.jsonl", "states.jsonl")),
    ("EU AI Act, Article 15", "accuracy, robustness, cybersecurity", ("metrics.json", "robustness.json", "verify.py")),
    ("NIST AI RMF, MEASURE 2.3", "performance under conditions of deployment", ("metrics.json", "data_sheet.md")),
    ("NIST AI RMF, MEASURE 2.5", "validity and reliability, limits documented", ("model_card.md", "metrics.json")),
    ("NIST AI RMF, MEASURE 2.6", "safety risks evaluated", ("cases/", "robustness.json")),
    ("NIST AI RMF, MEASURE 2.7", "security and resilience evaluated", ("robustness.json", "sbom.cdx.json")),
    ("NIST AI RMF, MANAGE 2.4", "superseding and deactivating a system", ("decisions/decision.json", "events.jsonl")),
    ("NIST AI RMF, MANAGE 4.1", "post-deployment monitoring", ("monitoring.json", "incidents/")),
    ("NIST AI RMF, MANAGE 4.3", "incidents communicated and recovered from", ("incidents/", "events.jsonl")),
    ("ISO/IEC 42001, A.6.2.4", "verification and validation", ("decisions/decision.json", "metrics.json")),
    ("ISO/IEC 42001, A.6.2.8", "recording of event logs", ("events.jsonl", "checkpoints.jsonl")),
    ("ISO/IEC 42001, A.7.5", "data provenance", ("data_sheet.md", "manifest.json")),
    ("ISO/IEC 42001, A.8.4", "communication of incidents", ("incidents/",)),
)  # fmt: skip


def clause_map(files: set[str], absent: set[str]) -> str:
    """Write the table in Markdown; what a bundle lacks is said in it. `absent` are files that only say "absent"."""
    return "\n".join(_lines(files, absent)) + "\n"


def _lines(files: set[str], absent: set[str]) -> Iterator[str]:
    yield "# Clauses and the files that support them"
    yield ""
    yield "A file *supports* an argument about a clause. Whether something complies, an assessor says, not this table."
    yield ""
    yield "| clause | about | supported by |"
    yield "|---|---|---|"
    for clause, about, wanted in CLAUSES:
        told = []
        for name in wanted:
            is_there = any(one == name or (name.endswith("/") and one.startswith(name)) for one in files)
            told.append(f"`{name}`" if is_there and name not in absent else f"`{name}` (nothing in this bundle)")
        yield f"| {clause} | {about} | {', '.join(told)} |"
