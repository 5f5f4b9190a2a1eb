import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WANT = {"root": "/bench", "pyproject": "p", "run.txt": "r"}
READY = {**WANT, "interpreter": "/usr/bin/python3.11", "libraries": "complete"}


@pytest.fixture(scope="module")
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bootstrap"]


def test_an_old_python_reads_far_enough_to_say_what_is_needed():
    source = (ROOT / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    start = source.index("if sys.version_info")
    check = source[start : source.index("import argparse")].replace("sys.version_info", "(3, 8)")
    done = subprocess.run([sys.executable, "-c", f"import sys\n{check}"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_without_a_word_it_prints_help():
    done = subprocess.run([sys.executable, "bootstrap.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python3 bootstrap.py demo" in done.stdout


def test_a_call_that_cannot_be_understood_ends_with_2():
    done = subprocess.run([sys.executable, "bootstrap.py", "tset"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("stamp", "interpreter", "rebuild", "work"),
    [
        (READY, "/usr/bin/python3.11", "", ()),
        ({}, "", "new", ("requirements", "project", "libraries")),
        ({}, "/usr/bin/python3.11", "", ("requirements", "project", "libraries")),
        (READY, "/usr/bin/python3.12", "Python has changed", ("requirements", "project", "libraries")),
        (READY, "", "new", ("requirements", "project", "libraries")),
        ({**READY, "root": "/old"}, "/usr/bin/python3.11", "the checkout has moved", ("requirements",)),
        (
            {**READY, "state": "installing"},
            "/usr/bin/python3.11",
            "the last installation was interrupted",
            ("project",),
        ),
        ({**READY, "run.txt": "older"}, "/usr/bin/python3.11", "", ("requirements",)),
        ({**READY, "pyproject": "older"}, "/usr/bin/python3.11", "", ("project",)),
        ({**READY, "libraries": "partly"}, "/usr/bin/python3.11", "", ("libraries",)),
    ],
)
def test_the_stamp_says_what_is_left_to_do(bootstrap, stamp, interpreter, rebuild, work):
    planned = bootstrap.plan(stamp, WANT, interpreter)
    assert planned.rebuild == rebuild
    done = [name for name in ("requirements", "project", "libraries") if getattr(planned, name)]
    assert done == list(work) if not rebuild else set(work) <= set(done)


def test_what_was_installed_for_tests_serves_the_demo_too(bootstrap):
    stamp = {**READY, **bootstrap.wanted("dev")}
    assert bootstrap.plan(stamp, bootstrap.wanted("run"), READY["interpreter"]) == bootstrap.Work(
        "", False, False, False
    )


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
def test_a_damaged_stamp_counts_as_none(bootstrap, monkeypatch, tmp_path, content):
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")
    (tmp_path / "stamp.json").write_text(content, encoding="utf-8")
    assert bootstrap.read_stamp() == {}


def test_the_stamp_reads_back(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")
    bootstrap.write_stamp(READY)
    assert bootstrap.read_stamp() == READY
    assert [path.name for path in tmp_path.iterdir()] == ["stamp.json"]


def test_an_installation_that_is_cut_off_is_remembered(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")

    def cut_off(*_: object) -> tuple[int, list[str]]:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "follow", cut_off)
    work = bootstrap.Work("", True, True, False)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.install("run", work, dict(READY), WANT, bootstrap.Display())
    assert json.loads((tmp_path / "stamp.json").read_text(encoding="utf-8"))["state"] == "installing"


def test_an_installation_that_fails_keeps_the_environment_that_works(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp.json")
    said = ["WARNING: Retrying after NewConnectionError", "ERROR: No matching distribution found for av==18.1.0"]
    monkeypatch.setattr(bootstrap, "follow", lambda *_: (1, said))
    work = bootstrap.Work("", True, True, False)
    with pytest.raises(bootstrap.Trouble) as trouble:
        bootstrap.install("run", work, dict(READY), WANT, bootstrap.Display())
    assert bootstrap.read_stamp() == READY
    assert "requirements failed: ERROR: No matching distribution found for av==18.1.0" in str(trouble.value)
    assert "connect this machine to the network" in str(trouble.value)


def test_noise_of_pip_is_no_reason(bootstrap):
    said = ["Collecting av", "WARNING: Location 'x' is ignored: it is neither a file", "ERROR: disk on fire", ""]
    assert bootstrap.reason_in(said) == "ERROR: disk on fire"
    assert bootstrap.reason_in([]) == "the command ended without a word"


def test_many_lines_of_pip_become_one(bootstrap):
    progress = bootstrap.PipProgress()
    progress.after("Collecting av==18.1.0 (from -r requirements/run.txt (line 10))")
    assert progress.after("  Downloading av-18.1.0-cp311-abi3-linux.whl (41.3 MB)") == (
        "1 packages found  downloading av (41.3 MB)"
    )
    assert progress.after("Installing collected packages: a, b, c") == "installing 3 packages"
    assert progress.summary() == "3 packages installed"


def test_output_is_followed_to_the_end_and_silence_ticks(bootstrap):
    seen: list[str] = []
    script = "import time; print('one', flush=True); time.sleep(1.3); print('two'); raise SystemExit(3)"
    code, lines = bootstrap.follow([sys.executable, "-c", script], seen.append)
    assert (code, lines) == (3, ["one", "two"])
    assert seen == ["one", "", "two"]


def test_children_do_not_see_packages_of_other_places(bootstrap, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    assert not {"PYTHONPATH", "PIP_TARGET"} & set(bootstrap.environment())


def test_every_requirement_is_pinned_and_hashed_and_names_no_host():
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        blocks = [block for block in text.replace("\\\n", " ").splitlines() if block and block[0] not in "# "]
        assert len(blocks) > 20
        assert [block for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []
        assert "://" not in text
        assert "torch==" not in text


def test_tests_are_run_with_the_very_versions_of_the_application():
    def pins(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins("run.txt") <= pins("dev.txt")


def test_ci_runs_the_same_command():
    assert "exec python3 bootstrap.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_red_step_is_told_and_the_last_line_is_that_of_pytest(bootstrap, monkeypatch, capsys):
    answers = {"ruff": (0, []), "mypy": (1, ["x.py:1: error: no"]), "pytest": (0, ["...", "SKIPPED [1] x", "3 passed"])}

    def follow(command: list[str], on_line: object) -> tuple[int, list[str]]:
        return next((answer for name, answer in answers.items() if name in command), (0, []))

    monkeypatch.setattr(bootstrap, "follow", follow)
    assert bootstrap.gate([], bootstrap.Display()) == 1
    printed = capsys.readouterr().out.splitlines()
    assert "    x.py:1: error: no" in printed
    assert "    SKIPPED [1] x" in printed
    assert printed[-1] == "3 passed"


def test_the_gate_leaves_slow_tests_out_unless_they_are_asked_for(bootstrap) -> None:
    assert bootstrap.wanted_tests([])[-2:] == ["-m", "not slow"]
    assert bootstrap.wanted_tests(["--slow", "-x"]) == ["-n", "auto", "--dist", "loadfile", "-x"]
    assert bootstrap.wanted_tests(["tests/unit", "-x"]) == ["tests/unit", "-x"]
    assert bootstrap.wanted_tests(["--slow", "-k", "night"]) == ["-k", "night"]
