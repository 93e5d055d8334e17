"""Claims about the pins: constraints.txt, and its mirror for uv in pyproject.toml."""

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = [Requirement(line) for line in LINES]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def direct_requirements() -> list[Requirement]:
    """All that pyproject.toml asks for by name, the package itself left out."""
    project = PROJECT["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    return [Requirement(text) for texts in lists for text in texts if not text.startswith("handgrad[")]


def test_uv_is_held_to_the_very_pins_of_constraints_txt():
    assert PROJECT["tool"]["uv"]["constraint-dependencies"] == LINES, "run `python .ci/pins.py --mirror`"


def test_every_pin_is_one_exact_version_without_address_or_hash():
    for line, pin in zip(LINES, PINS, strict=True):
        assert [specifier.operator for specifier in pin.specifier] == ["=="], line
        assert pin.url is None, line
        assert "--" not in line


def test_everything_asked_for_is_pinned_within_what_is_asked():
    for asked in direct_requirements():
        pinned = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(asked.name)]
        assert pinned, f"{asked} has no pin: run `python .ci/pins.py`"
        for pin in pinned:
            assert asked.specifier.contains(next(iter(pin.specifier)).version), f"{pin} isn't {asked}"


@pytest.mark.parametrize(("python", "jax"), [("3.11", "0.10.1"), ("3.12", "0.12.0.1"), ("3.13", "0.12.0.1")])
def test_each_python_gets_one_jax_and_the_jaxlib_of_the_same_version(python, jax):
    environment = {"python_version": python, "python_full_version": f"{python}.7"}
    for name in ["jax", "jaxlib"]:
        pins = [pin for pin in PINS if pin.name == name and (not pin.marker or pin.marker.evaluate(environment))]
        assert [str(pin.specifier) for pin in pins] == [f"=={jax}"]


@pytest.mark.parametrize("name", ["jax", "jaxlib"])
def test_the_jax_that_computes_wrong_numbers_is_excluded(name):
    asked = next(asked for asked in direct_requirements() if asked.name == name)
    assert not asked.specifier.contains("0.10.2")
    assert asked.specifier.contains("0.10.1")


def test_this_environment_has_the_pinned_versions():
    for pin in PINS:
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            found = version(pin.name)
        except PackageNotFoundError:
            continue  # an extra that isn't installed here
        assert pin.specifier.contains(found), f"{pin.name} {found} is installed, {pin} is pinned"


def test_run_py_names_the_pythons_that_the_package_supports():
    supported = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    named = (ROOT / "run.py").read_text(encoding="utf-8").split("VERSIONS = ", 1)[1].split("#", 1)[0]
    candidates = [f"3.{minor}" for minor in range(9, 16)]
    assert [one for one in candidates if supported.contains(f"{one}.0")] == sorted(eval(named))
    assert supported.contains("{}.{}.{}".format(*sys.version_info))
