"""No module of the package runs text as code, or loads a format that can."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dsocr_jax

FILES = sorted(Path(dsocr_jax.__file__).parent.rglob("*.py"))
#: Built-in functions that make code of text, and reach them in a roundabout way.
BUILT_IN = frozenset({"eval", "exec", "compile", "__import__", "globals", "locals", "breakpoint"})
#: Names that do so wherever they are found, as attributes or imported.
ANYWHERE = frozenset({"literal_eval", "allow_pickle", "__builtins__", "read_pickle"})
MODULES = frozenset(
    {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "codeop", "runpy"}
)


def found(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of what must not be there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BUILT_IN | ANYWHERE:
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and (
            node.attr in ANYWHERE
            or (isinstance(node.value, ast.Name) and node.value.id == "builtins" and node.attr in BUILT_IN)
        ):
            yield node.lineno, node.attr
        elif isinstance(node, ast.keyword) and node.arg in ANYWHERE:
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield node.value.lineno, node.arg
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for name in (*names, module):
                if name.partition(".")[0] in MODULES or name in ANYWHERE:
                    yield node.lineno, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FILES[0].parent)))
def test_no_text_becomes_code(file: Path):
    assert list(found(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "exec(text)",
        "run = eval",
        "compile(text, 'x', 'eval')",
        "__import__(text)",
        "import ast\nast.literal_eval(text)",
        "from ast import literal_eval",
        "import pickle",
        "import pickle as harmless",
        "from pickle import loads",
        "import joblib.memory",
        "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=flag)",
        "import builtins\nbuiltins.exec(text)",
    ],
)
def test_what_would_run_text_is_found(code: str):
    assert list(found(ast.parse(code)))


@pytest.mark.parametrize("code", ["model.eval()", "import re\nre.compile('x')", "np.load(f, allow_pickle=False)"])
def test_what_only_looks_like_it_is_left_alone(code: str):
    assert not list(found(ast.parse(code)))


def test_the_package_is_looked_at():
    assert len(FILES) > 50
