"""Bundles: the same bytes again, checked by a stranger, every flipped bit found and named."""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence import Decisions, EventKind, Incidents, Journal, KeyRing, Recorded, Trigger
from hilgui.evidence.bundle import Extras, write_bundle
from hilgui.evidence.chain import canonical, event_hash, sha256
from hilgui.evidence.container import write_container
from hilgui.evidence.dsse import result_statement, seal_statement
from hilgui.evidence.tool_validation import keep_validation
from hilgui.evidence.verify import verify_bundle
from hilgui.store import RunReader
from tests.unit.evidence.bench import BETTER, PASSPHRASE, person, record

EXPECTED = {
    "manifest.json", "manifest.dsse.json", "events.jsonl", "checkpoints.jsonl", "metrics.json",
    "decisions/decision.json", "decisions/statement.dsse.json", "states.jsonl", "robustness.json", "monitoring.json",
    "model_card.md", "data_sheet.md", "tool_validation.json", "sbom.cdx.json", "gsn.yaml", "gsn.svg", "report.html",
    "verify.py", "clauses.md",
}  # fmt: skip


def write(home: Path, decision: Recorded, out: Path, **extras: object) -> Path:
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(RunReader(home / "runs" / run))) for run in decision.runs]
        write_bundle(home, decision, readers, out, Extras(**extras))  # type: ignore[arg-type]
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bench with a signed decision, an incident about it and a self-test."""
    folder = tmp_path_factory.mktemp("bench")
    keep_validation(folder, "rig-selftest", {"holds": True, "figures": []}, by="ada")
    (folder / "rigs" / "table").mkdir(parents=True)
    (folder / "rigs" / "table" / "states.jsonl").write_text('{"from":"SAFE","to":"ARMING","by":"ada"}\n')
    decision = record(folder, **BETTER)
    for name in ("ada", "bob"):
        decision = Decisions(folder).sign(decision, person(folder, name))
    Incidents(folder).open("a near miss", by="eve", trigger=Trigger.REGRESSION, decision=decision.id)
    return folder


@pytest.fixture(scope="module")
def decision(home: Path) -> Recorded:
    return Decisions(home).find("last")


@pytest.fixture(scope="module")
def bundle(home: Path, decision: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(home, decision, tmp_path_factory.mktemp("bundle") / "evidence.zip")


@pytest.fixture(scope="module")
def trusted(home: Path) -> set[str]:
    return {key.keyid for key in KeyRing(home).all()}


def files(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_holds_what_it_promises_and_is_sound(bundle: Path, trusted: set[str], decision: Recorded) -> None:
    found = verify_bundle(bundle, trusted)
    names = set(files(bundle))

    assert (found.verdict, found.problems, found.notes) == ("PASS", [], [])
    assert EXPECTED <= names
    assert found.counts["people"] == 2
    assert {name.split("/")[0] for name in names if "/" in name} == {"cases", "decisions", "incidents", "keys"}
    assert {"cases/001-missed_critical/case.json", "cases/002-missed_critical/truth.jsonl"} <= names
    assert len([name for name in names if name.startswith(f"cases/pictures/{decision.runs[0]}/")]) == 4


def test_the_same_inputs_give_the_same_bytes(home: Path, decision: Recorded, bundle: Path, tmp_path: Path) -> None:
    Journal(home).append(EventKind.EXPORT, {"bundle": "evidence.zip", "about": decision.id}, by="ada")

    again = write(home, decision, tmp_path / "again.zip")

    assert again.read_bytes() == bundle.read_bytes()


def test_any_unzip_opens_it(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None


def test_without_a_trusted_key_it_is_inconclusive(bundle: Path) -> None:
    assert verify_bundle(bundle, set()).verdict == "INCONCLUSIVE"


def test_documents_speak_the_standards(bundle: Path) -> None:
    inside = files(bundle)
    sbom = json.loads(inside["sbom.cdx.json"])
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert any(one["purl"].startswith("pkg:pypi/cryptography@") for one in sbom["components"])
    assert b"http" not in inside["sbom.cdx.json"], "no host of a registry"
    clauses = inside["clauses.md"].decode()
    assert "ISO 21448, clause 11" in clauses
    assert "compliant" not in clauses
    assert "`robustness.json` (nothing in this bundle)" in clauses
    assert "`manifest.json`," in clauses
    manifest = json.loads(inside["manifest.json"])
    for line in inside["gsn.yaml"].decode().splitlines():
        if "sha256:" in line:
            assert line.split()[-1] in {facts["sha256"] for facts in manifest["files"].values()}
    states = [json.loads(line) for line in inside["states.jsonl"].splitlines()]
    assert states == [{"rig": "table", "from": "SAFE", "to": "ARMING", "by": "ada"}]


def run_script(bundle: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script out of a bundle as a stranger would: away from hilgui, isolated."""
    script = folder / "verify.py"
    script.write_bytes(files(bundle)["verify.py"])
    shut = "import sys; sys.modules['hilgui'] = None; import runpy; sys.argv = sys.argv[1:]; "
    run = "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-c", shut + run, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


def test_the_script_inside_says_the_same_without_hilgui(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    keys = [part for key in sorted(trusted) for part in ("--trust", key)]

    done = run_script(bundle, tmp_path, str(bundle), "--json", *keys)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == verify_bundle(bundle, trusted).as_json()
    assert run_script(bundle, tmp_path, str(bundle)).returncode == 3
    assert run_script(bundle, tmp_path).returncode == 2
    broken = tmp_path / "broken.zip"
    broken.write_bytes(bundle.read_bytes()[:-100])
    said = run_script(bundle, tmp_path, str(broken))
    assert said.returncode == 1
    assert "cut off" in said.stdout


def corrupt(content: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Damage a bundle in one of the ways that disks and people have."""
    place = chance.randrange(len(content))
    match chance.randrange(6):
        case 0 | 1 | 2:
            flipped = bytes([content[place] ^ (1 << chance.randrange(8))])
            return content[:place] + flipped + content[place + 1 :], f"bit of byte {place}"
        case 3:
            return content[:place], f"cut at {place}"
        case 4:
            length = chance.randrange(1, 200)
            return content[:place] + content[place + length :], f"{length} bytes out at {place}"
    added = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 50)))
    return content[:place] + added + content[place:], f"{len(added)} bytes in at {place}"


def find_all(bundle: Path, trusted: set[str], tmp_path: Path, times: int, seed: int) -> None:
    content, chance = bundle.read_bytes(), random.Random(seed)
    for number in range(times):
        damaged, what = corrupt(content, chance)
        if damaged == content:
            continue
        place = tmp_path / "damaged.zip"
        place.write_bytes(damaged)
        found = verify_bundle(place, trusted)
        assert found.verdict == ("FAIL" if damaged else "NO BUNDLE"), f"{number}: {what} was not found"
        assert len([*found.problems, found.no_bundle][0]) > 15, what


def other_zip(method: int) -> bytes:
    """Give a zip of something else, with a date that bundles have too."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name in ("a.txt", "manifest.json"):
            archive.writestr(zipfile.ZipInfo(name), "see checkpoints.jsonl and manifest.dsse.json\n" * 9, method)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"PASS events.jsonl manifest.dsse.json\n" * 99, "it is a text"),
        ("größer".encode() * 2000, "it is a text"),
        (random.Random(1).randbytes(200_000), "it is no zip"),
        (other_zip(zipfile.ZIP_DEFLATED), "a zip of something else"),
        (other_zip(zipfile.ZIP_STORED), "a zip of something else"),
    ],
    ids=["empty", "text", "text-of-letters-with-two-bytes", "junk", "packed-zip", "stored-zip"],
)
def test_what_never_was_a_bundle_is_called_so(
    bundle: Path, trusted: set[str], tmp_path: Path, content: bytes, sentence: str
) -> None:
    place = tmp_path / "other.zip"
    place.write_bytes(content)

    found = verify_bundle(place, trusted)
    said = run_script(bundle, tmp_path, str(place))

    assert (found.verdict, found.exit_code, found.problems) == ("NO BUNDLE", 2, [])
    assert sentence in found.no_bundle
    assert (said.returncode, said.stdout) == (2, f"NO BUNDLE  this file is no evidence bundle: {found.no_bundle}\n")


def test_what_is_left_of_a_bundle_is_a_bundle_that_was_changed(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    content, place = bundle.read_bytes(), tmp_path / "left.zip"
    for left in (
        *(content[:end] for end in (1, 3, 13, 31, 40, 100, 5000)),
        *(content[start:] for start in (1, 50, len(content) // 2)),
        b"\0" * 5000 + content[5000:],
        content + content,
        *(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :] for at in range(45)),
    ):
        place.write_bytes(left)
        found = verify_bundle(place, trusted)
        assert (found.verdict, found.exit_code) == ("FAIL", 1)
        assert found.problems[0]


def test_a_bundle_that_was_packed_anew_is_one_that_was_changed(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "again.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(bundle).items():
            archive.writestr(name, content)

    found = verify_bundle(tmp_path / "again.zip", trusted)

    assert found.verdict == "FAIL"
    assert "compressed" in found.problems[0]


def test_sixty_random_corruptions_are_found(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    find_all(bundle, trusted, tmp_path, 60, seed=1)


@pytest.mark.slow
def test_a_thousand_random_corruptions_are_found(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    find_all(bundle, trusted, tmp_path, 1000, seed=2)


def repacked(bundle: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change files and make the container anew, as somebody would who has read the format."""
    inside = files(bundle)
    change(inside)
    write_container(out, inside)
    return out


def edit(name: str, before: bytes, after: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(inside: dict[str, bytes]) -> None:
        assert before in inside[name]
        inside[name] = inside[name].replace(before, after, 1)

    return change


def cut_tail(inside: dict[str, bytes]) -> None:
    inside["events.jsonl"] = b"".join(inside["events.jsonl"].splitlines(keepends=True)[:-1])


def mended(inside: dict[str, bytes]) -> None:
    """Mend the hashes of the manifest."""
    manifest = json.loads(inside["manifest.json"])
    for name in manifest["files"]:
        manifest["files"][name] = {"sha256": sha256(inside[name]), "size": len(inside[name])}
    inside["manifest.json"] = (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def edit_and_mend(inside: dict[str, bytes]) -> None:
    edit("decisions/decision.json", b'"drives":12', b'"drives":99')(inside)
    mended(inside)


def swap_model(inside: dict[str, bytes]) -> None:
    edit("decisions/decision.json", b"c" * 64, b"d" * 64)(inside)
    edit("manifest.json", b"c" * 64, b"d" * 64)(inside)
    mended(inside)


def drop_signature(inside: dict[str, bytes]) -> None:
    envelope = json.loads(inside["decisions/statement.dsse.json"])
    envelope["signatures"].pop()
    inside["decisions/statement.dsse.json"] = json.dumps(envelope).encode()
    mended(inside)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edit("decisions/decision.json", b"PROMOTE", b"HOLD"), "decisions/decision.json was changed"),
        (edit_and_mend, "decisions/decision.json was edited: it is not the one that was signed"),
        (swap_model, "candidate model was swapped"),
        (cut_tail, "signed closing count"),
        (drop_signature, "the signature of key"),
        (edit("metrics.json", b'"critical_recall"', b'"critical_precision"'), "metrics.json was changed"),
        (lambda inside: inside.pop("sbom.cdx.json") and None, "sbom.cdx.json was removed"),
        (lambda inside: inside.update({"extra.txt": b"x"}), "extra.txt was added"),
        (lambda inside: inside.pop("events.jsonl") and None, "events.jsonl"),
        (edit("verify.py", b"FAIL", b"PASS"), "verify.py was changed"),
    ],
)
def test_changes_by_somebody_who_knows_the_format_are_named(
    bundle: Path, trusted: set[str], tmp_path: Path, change: Callable[[dict[str, bytes]], None], named: str
) -> None:
    found = verify_bundle(repacked(bundle, tmp_path / "x.zip", change), trusted)

    assert found.verdict == "FAIL"
    assert any(named in problem for problem in found.problems), found.problems


def test_a_forger_with_keys_of_his_own_is_not_trusted(bundle: Path, trusted: set[str], tmp_path: Path) -> None:
    """Everything made anew and signed by another bench: it fits in itself, and nobody knows the key."""
    forger = KeyRing(tmp_path / "forger").bench()

    def forge(inside: dict[str, bytes]) -> None:
        for name in [name for name in inside if name.startswith("keys/")]:
            del inside[name]
        inside["keys/bench-forged.json"] = canonical(forger.key.as_json())
        recorded = json.loads(inside["decisions/decision.json"])
        recorded |= {"bench": forger.key.keyid, "people_needed": 0}
        inside["decisions/decision.json"] = canonical(recorded)
        digest = sha256(inside["decisions/decision.json"])
        subjects = {"decision.json": digest} | {
            f"model:{role}": model for role, model in recorded["decision"]["models"].items()
        }
        inside["decisions/statement.dsse.json"] = canonical(
            seal_statement(result_statement(subjects, "PASSED"), [forger])
        )
        event = {
            "seq": 0, "previous": "0" * 64, "at": "2030", "kind": "decision", "by": "eve",
            "facts": {"decision": recorded["id"], "sha256": digest},
        }  # fmt: skip
        event["hash"] = event_hash(event)
        inside["events.jsonl"], inside["checkpoints.jsonl"] = canonical(event) + b"\n", b""
        manifest = json.loads(inside["manifest.json"])
        names = sorted(set(inside) - {"manifest.json", "manifest.dsse.json"})
        manifest["closing"] |= {"events": 1, "head": event["hash"], "files": len(names)}
        manifest["files"] = {name: {"sha256": sha256(inside[name]), "size": len(inside[name])} for name in names}
        inside["manifest.json"] = canonical(manifest)
        statement = result_statement({"manifest.json": sha256(inside["manifest.json"])}, "PASSED")
        inside["manifest.dsse.json"] = canonical(seal_statement(statement, [forger]))

    forged = repacked(bundle, tmp_path / "forged.zip", forge)

    found = verify_bundle(forged, trusted)
    assert found.problems == []
    assert found.verdict == "INCONCLUSIVE", "it holds together, and nobody whom we trust has signed it"
    assert verify_bundle(forged, {forger.key.keyid}).verdict == "PASS"


def plain_zip(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_slips_bombs_and_huge_sizes_get_one_sentence(tmp_path: Path, bundle: Path) -> None:
    slip = plain_zip(tmp_path / "slip.zip", {"../../etc/passwd": b"x", "events.jsonl": b""})
    bomb = plain_zip(tmp_path / "bomb.zip", {"events.jsonl": b"\0" * 10_000_000}, zipfile.ZIP_DEFLATED)
    huge = bytearray(bundle.read_bytes())
    struct.pack_into("<II", huge, 18, 0xFFFFFFF0, 0xFFFFFFF0)
    (tmp_path / "huge.zip").write_bytes(huge)

    said = {name: verify_bundle(tmp_path / f"{name}.zip", set()).problems for name in ("slip", "bomb", "huge")}
    assert all(len(problems) == 1 for problems in said.values())
    assert "no name of a file in a bundle" in said["slip"][0]
    assert "compressed" in said["bomb"][0]
    assert "declares 4,294,967,280 bytes" in said["huge"][0]
    assert slip.exists() and bomb.exists()


def test_a_run_that_changed_since_the_decision_is_named(tmp_path: Path) -> None:
    decision = record(tmp_path, **BETTER)
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "runs" / decision.runs[0] / "run.sqlite")) as database:
        database.execute("UPDATE finding SET value=replace(value, '12 m ahead', '99 m ahead')")
        database.commit()

    with pytest.raises(EvidenceBroken, match=f"the results of run {decision.runs[0]} changed"):
        write(tmp_path, decision, tmp_path / "x.zip")


def test_an_answer_of_a_model_that_changed_since_the_decision_is_named(tmp_path: Path) -> None:
    """Figures and findings stay as they were: the frames have a hash of their own."""
    decision = record(tmp_path, **BETTER)
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "runs" / decision.runs[0] / "run.sqlite")) as database:
        database.execute("UPDATE content SET candidate=baseline, baseline=candidate WHERE seq=2")
        database.execute("UPDATE inference SET run_ms=run_ms / 2")
        database.commit()

    with pytest.raises(EvidenceBroken, match=f"the frames of run {decision.runs[0]} changed"):
        write(tmp_path, decision, tmp_path / "x.zip")


def test_a_bundle_of_a_broken_journal_is_not_written(tmp_path: Path) -> None:
    decision = record(tmp_path, **BETTER)
    journal = Journal(tmp_path)
    lines = journal.events_file.read_bytes()
    journal.events_file.write_bytes(lines.replace(b'"by":"eve"', b'"by":"ada"'))

    with pytest.raises(EvidenceBroken, match="the journal of this bench does not hold"):
        write(tmp_path, decision, tmp_path / "x.zip")


def test_a_changed_file_of_arming_states_is_told(tmp_path: Path) -> None:
    decision = record(tmp_path, **BETTER)
    place = tmp_path / "rigs" / "table" / "states.jsonl"
    place.parent.mkdir(parents=True)
    place.write_text('{"to":"ARMED","by":"eve"}\n')
    write(tmp_path, decision, tmp_path / "first.zip")
    place.write_text('{"to":"SAFE","by":"eve"}\n')

    write(tmp_path, decision, tmp_path / "second.zip")

    manifest = json.loads(files(tmp_path / "second.zip")["manifest.json"])
    assert "states.jsonl was changed: line 1" in manifest["changed"][0]


def test_what_people_typed_is_no_markup(tmp_path: Path) -> None:
    from tests.unit.evidence.bench import plan

    decision = record(tmp_path, by="<script>alert(1)</script>", plan=plan(name="<img src=x>"), **BETTER)

    page = files(write(tmp_path, decision, tmp_path / "x.zip"))["report.html"].decode()

    assert "<script>" not in page
    assert "<img src=x>" not in page


def test_attachments_have_to_be_json(home: Path, decision: Recorded, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"schema": "x", "worst": 0.5}')
    bad.write_text('{"worst": NaN}')

    inside = files(write(home, decision, tmp_path / "x.zip", robustness=good))
    assert json.loads(inside["robustness.json"])["worst"] == 0.5
    assert "`robustness.json` (nothing" not in inside["clauses.md"].decode()
    with pytest.raises(CallWrong, match=r"bad\.json cannot go in as monitoring\.json"):
        write_bundle(home, decision, [], tmp_path / "y.zip", Extras(monitoring=bad))  # before a run is looked at


def test_no_private_key_and_no_passphrase_is_inside(bundle: Path) -> None:
    content = bundle.read_bytes()
    assert b"PRIVATE KEY" not in content.replace(b'"BEGIN', b"")
    assert PASSPHRASE.encode() not in content
