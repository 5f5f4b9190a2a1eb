"""Branch coverage and mutants of the safety cage, with the standard library alone.

    python -m tests.unit.rigs.cage_mutants [--every N]

Prints every branch that `test_cage.py` does not take both ways (read from the bytecode, so that a comprehension's
condition counts too) and every mutant that it does not notice. A mutant changes one comparison, operator, constant,
`and`/`or` or `not` of the cage, but not `frozen`, `slots` and `strict`. Each runs against all tests, in this process;
endless ones are ended after 5 s and count as killed. A branch of the interpreter itself (an exception of another type
than the `except` names) is no branch here.
"""

from __future__ import annotations

import argparse
import ast
import copy
import dis
import importlib
import itertools
import signal
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest

PACKAGE = "hilgui.rigs.cage"
MODULES = (f"{PACKAGE}.invariant", f"{PACKAGE}.monitor")
TESTS = "tests.unit.rigs.test_cage"
_LONGEST_S = 5
_ABOUT_US = ("test_every_branch_is_taken_both_ways_and_mutants_are_noticed", "test_every_mutant_is_noticed")
_SPARED = ("frozen", "slots", "strict")  # of dataclasses and zip: they guard the writer, not the rig

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


importlib.import_module(TESTS)
_PATHS = {name: Path(str(sys.modules[name].__file__)) for name in (*MODULES, PACKAGE)}  # while it is still in one piece
_TEXTS = {name: path.read_text(encoding="utf-8") for name, path in _PATHS.items()}


def mutants(name: str) -> Iterator[tuple[str, ast.Module]]:
    """Give every mutant of a module with its description."""
    tree = ast.parse(_TEXTS[name])
    nodes = list(ast.walk(tree))
    spared = {id(node.value) for node in nodes if isinstance(node, ast.keyword) and node.arg in _SPARED}
    for index, node in enumerate(nodes):
        if id(node) in spared:
            continue
        for label, change in _changes(node):
            fresh = copy.deepcopy(tree)
            twin = list(ast.walk(fresh))[index]
            change(twin)
            yield f"{name.rpartition('.')[2]}:{getattr(node, 'lineno', 0)}: {label}", ast.fix_missing_locations(fresh)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            other = _SWAPS[type(operator)]

            def swap(twin: Any, position: int = position, other: Any = other) -> None:
                twin.ops[position] = other()

            yield f"{type(operator).__name__} → {other.__name__}", swap
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _SWAPS:
        other = _SWAPS[type(node.op)]

        def replace(twin: Any, other: Any = other) -> None:
            twin.op = other()

        yield f"{type(node.op).__name__} → {other.__name__}", replace
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = (not node.value) if isinstance(node.value, bool) else node.value + 1

        def put(twin: Any, value: Any = value) -> None:
            twin.value = value

        yield f"{node.value} → {value}", put
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):

        def drop(twin: Any) -> None:
            twin.op, twin.operand = ast.Not(), ast.UnaryOp(ast.Not(), twin.operand)

        yield "not → (nothing)", drop


def load(changed: str = "", tree: ast.Module | None = None) -> ModuleType:
    """Load the cage afresh, one module of it changed, and give the tests that see it."""
    for name in (*MODULES, PACKAGE):
        sys.modules.pop(name, None)
    package = types.ModuleType(PACKAGE)
    package.__path__ = []
    sys.modules[PACKAGE] = package
    for name in (*MODULES, PACKAGE):
        text, origin = _TEXTS[name], str(_PATHS[name])
        module = sys.modules[PACKAGE] if name == PACKAGE else types.ModuleType(name)
        module.__file__ = origin
        sys.modules[name] = module
        exec(compile(tree if name == changed and tree else ast.parse(text), origin, "exec"), module.__dict__)
    rigs = sys.modules["hilgui.rigs"]
    rigs.cage = sys.modules[PACKAGE]  # type: ignore[attr-defined]
    sys.modules.pop(TESTS, None)
    return importlib.import_module(TESTS)


def calls(tests: ModuleType) -> Iterator[Callable[[], None]]:
    """Give every test with every row of its table, as something to call."""
    for name, test in sorted(vars(tests).items()):
        if not name.startswith("test_") or name in _ABOUT_US:
            continue
        tables = []
        for mark in getattr(test, "pytestmark", []):
            assert mark.name == "parametrize", mark
            keys = [key.strip() for key in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])]
            rows = [row if len(keys) > 1 else (row,) for row in mark.args[1]]
            tables.append([dict(zip(keys, row, strict=True)) for row in rows])
        for combination in itertools.product(*tables):
            arguments = {key: value for row in combination for key, value in row.items()}

            def call(test: Any = test, arguments: dict[str, Any] = arguments) -> None:
                test(**arguments)

            yield call


def is_killed(changed: str, tree: ast.Module) -> bool:
    """Say whether any test notices a mutant."""

    def expire(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(_LONGEST_S)
    try:
        for call in calls(load(changed, tree)):
            call()
    except (Exception, pytest.fail.Exception):
        return True
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return False


def untaken_branches() -> tuple[list[str], int]:
    """Run all tests and give the branches that were taken one way only, and how many there are."""
    tests = load()
    files = {sys.modules[name].__file__ for name in MODULES}
    taken: dict[tuple[CodeType, int], set[int]] = {}
    last: dict[int, tuple[CodeType, int]] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            key = last.get(id(frame))
            if key is not None and key[0] is frame.f_code:
                taken.setdefault(key, set()).add(frame.f_lasti)
            last[id(frame)] = (frame.f_code, frame.f_lasti)
        elif event in ("return", "exception"):
            last.pop(id(frame), None)
        return trace

    sys.settrace(trace)
    try:
        for call in calls(tests):
            call()
    finally:
        sys.settrace(None)
    missing, count = [], 0
    for name in MODULES:
        for code in _codes(compile(_TEXTS[name], str(_PATHS[name]), "exec")):
            before = ""
            for instruction in dis.get_instructions(code):
                is_ours = _is_branch(instruction.opname) and before != "CHECK_EXC_MATCH"
                before = instruction.opname
                if instruction.opcode not in dis.hasjrel or not is_ours:
                    continue
                count += 1
                seen = [to for (traced, at), to in taken.items() if traced == code and at == instruction.offset]
                ways = set().union(*seen)
                if len(ways) < 2:
                    line = instruction.positions.lineno if instruction.positions else 0
                    missing.append(f"{name.rpartition('.')[2]}:{line} {code.co_name}: {instruction.opname} went {ways}")
    return missing, count


def _is_branch(opname: str) -> bool:
    return "IF" in opname or opname == "FOR_ITER"


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def survivors(every: int) -> tuple[list[str], int]:
    """Try every `every`-th mutant; give those that live and how many were tried."""
    tried, alive = 0, []
    for name in MODULES:
        for number, (label, tree) in enumerate(mutants(name)):
            if number % every == 0:
                tried += 1
                if not is_killed(name, tree):
                    alive.append(label)
    return alive, tried


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    every = parser.parse_args().every
    missing, branches = untaken_branches()
    print(f"branches: {branches - len(missing)} of {branches} taken both ways", *missing, sep="\n  ")
    alive, tried = survivors(every)
    print(f"mutants: {tried - len(alive)} of {tried} killed", *alive, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
