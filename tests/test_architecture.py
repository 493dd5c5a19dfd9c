"""The shape of the code: sizes, opening lines, and what each package may know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    p
    for package in ("detectors", "state", "alerts", "service", "flows")
    for p in (ROOT / package).rglob("*.py")
)
MAX_LINES = 300
MAX_FUNCTION_LINES = 45
"""Of the body, without the docstring."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_are_small_and_open_with_a_sentence(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    opening = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    assert opening.endswith(".")
    assert opening[0].isupper() or opening.startswith("driftflow ")  # a command by its name


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                assert (body[-1].end_lineno or 0) - body[0].lineno + 1 <= MAX_FUNCTION_LINES, node.name


def test_only_flows_knows_bytewax_and_kafka() -> None:
    for path in FILES:
        if path.relative_to(ROOT).parts[0] != "flows":
            for node in ast.walk(ast.parse(path.read_text())):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                assert not any(name.split(".")[0] in {"bytewax", "kafka", "flows"} for name in names), path


_BY_PROCESSOR = frozenset(
    """
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt cos cosh dot einsum exp exp2 expm1
    float_power geomspace hypot inner linalg log log10 log1p log2 logspace matmul power sin sinh tan
    tanh tensordot vdot
    """.split()  # noqa: SIM905  # a list of so many strings is harder to read
)
"""Of NumPy: what has other last bits on another processor; see `detectors.elementary`."""


def by_processor(source: str) -> list[int]:
    """Return the lines of what has other last bits on another processor."""
    return sorted(
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
        or (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "np"
            and node.attr in _BY_PROCESSOR
        )
    )


def test_what_depends_on_the_processor_is_seen() -> None:
    assert by_processor("np.log(x)\na @ b\nnp.sqrt(x)\nmath.log(x)\nnp.linalg.norm(x)") == [1, 2, 5]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_depends_on_the_processor(path: Path) -> None:
    # Streams that are made up are written with few digits; service and alerts show what was computed.
    if path.relative_to(ROOT).parts[:2] != ("flows", "scenarios"):
        assert not by_processor(path.read_text())
