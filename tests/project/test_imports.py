"""Claims about what importing costs and what imports what; `lint-imports` in .ci/run holds the other arrows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((ROOT / "solutions").glob("*.py"))


def python(program: str) -> str:
    """Runs a program in a new process at the root of the checkout; returns what it printed."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_import_course_loads_neither_jax_nor_numpy():
    loaded = python("import sys, course; print(*sys.modules)").split()
    assert not {"jax", "jaxlib", "numpy", "rich", "click", "pytest"} & set(loaded)


def test_the_pytest_plugin_costs_other_projects_the_standard_library_only():
    loaded = python("import sys, course.pytest_plugin; print(*sys.modules)").split()
    packages = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert not {"jax", "jaxlib", "numpy", "rich", "click", "optax", "jaxtyping"} & packages


def test_no_public_name_of_course_is_also_a_module_in_it():
    program = (
        "import course, pkgutil; print(*({m.name for m in pkgutil.iter_modules(course.__path__)} & {*course.__all__}))"
    )
    assert python(program).split() == []


def test_importing_everything_starts_no_backend():
    """An array made at import would: forking then deadlocks, and float32 is frozen before x64 can be asked for."""
    python("""
import importlib, pkgutil, course, jax, solutions
from jax._src import xla_bridge
for package in [course, solutions]:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.endswith("__main__"):
            continue
        importlib.import_module(module.name)
        assert not xla_bridge.backends_are_initialized(), module.name + " makes an array at import"
""")


def test_course_never_imports_the_answers():
    modules = sorted((ROOT / "course").rglob("*.py"))
    assert not [path for path in modules if any(name.split(".")[0] == "solutions" for name in imported(path))]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_answers_import_lessons_other_answers_and_jax_only(path):
    for name in imported(path):
        top = name.split(".")[0]
        allowed = top in {"jax", "jaxtyping", "solutions", *sys.stdlib_module_names}
        # `course` itself is for `course.answer`, which questions are answered with.
        assert allowed or name == "course" or name.startswith("course.lessons"), f"{path.name} imports {name}"
