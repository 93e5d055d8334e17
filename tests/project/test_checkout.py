"""Claims about what is committed, and about what goes into the wheel and the sdist."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in two halves, so that this file passes its own test.
REGISTRIES = ["pypi" + r"\.org", "python" + r"hosted\.org", "registry\\." + "npmjs", "deb\\." + "debian"]
MACHINE_PATHS = ["/work" + r"/(main|env|shared|\.)", "/ro" + "ot/", "/ho" + "me/(?!you/)", "/tmp" + "/[a-z]"]
FORBIDDEN = re.compile("|".join(REGISTRIES + MACHINE_PATHS))


def committed() -> list[Path]:
    """The files that git knows here."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_committed_text_names_a_registry_host_or_a_path_of_somebodys_machine():
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert not found


def test_no_lock_that_holds_addresses_is_committed():
    assert not [path for path in committed() if path.name in {"uv.lock", "pylock.toml", "poetry.lock"}]


def build(kind: str, source: Path, target: Path) -> Path:
    """Builds a wheel or an sdist with the installed hatchling, which needs no network."""
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(target.iterdir())


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the committed files, with a notebook and its source even before the first one is written."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in committed():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "notebooks" / "99_sample.py").write_text("# the solved lesson\n", encoding="utf-8")
    (folder / "notebooks" / "99_sample.ipynb").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel built from the checkout."""
    return zipfile.ZipFile(build("wheel", checkout, tmp_path_factory.mktemp("wheel"))).namelist()


def test_the_wheel_carries_the_course_and_the_made_notebooks_as_its_data(wheel):
    assert "course/__init__.py" in wheel
    assert "course/_notebooks/99_sample.ipynb" in wheel


def test_the_wheel_carries_no_answers(wheel):
    assert {name.split("/")[0] for name in wheel} == {"course", "handgrad-0.1.0.dist-info"}
    assert not [name for name in wheel if name.startswith("course/_notebooks") and not name.endswith(".ipynb")]


def test_the_wheel_from_the_sdist_is_the_wheel_from_the_checkout(wheel, checkout, tmp_path):
    with tarfile.open(build("sdist", checkout, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    again = build("wheel", next((tmp_path / "unpacked").iterdir()), tmp_path / "wheel")
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(wheel)
