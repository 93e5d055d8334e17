"""Claims about run.py, the one command. Nothing here touches the network: the installers are stand-ins."""

import ast
import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHER = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"  # a supported Python that isn't this one

posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py as it stands in a checkout of its own, with nothing set up."""
    checkout = tmp_path / "check out"
    checkout.mkdir()
    for name in ["run.py", "pyproject.toml", "constraints.txt"]:
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    spec = importlib.util.spec_from_file_location("run_of_a_checkout", checkout / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def script(path: Path, text: str) -> Path:
    """Writes an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def pretend_set_up(run: ModuleType) -> tuple[str, str]:
    """Makes an environment whose stamp holds; returns its Python and its stamp."""
    home = Path(run.ROOT, ".venv", "bin")
    home.mkdir(parents=True)
    python = home / "python"
    python.write_text("", encoding="utf-8")
    stamp = home.parent / "handgrad-stamp"
    stamp.write_text(run.fingerprint(str(python)), encoding="utf-8")
    return str(python), str(stamp)


def test_the_syntax_is_that_of_python_3_6():
    ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


def test_the_stamp_holds_while_nothing_changes(run):
    assert run.is_set_up(*pretend_set_up(run))


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_the_stamp_breaks_when_a_requirement_changes(run, name):
    python, stamp = pretend_set_up(run)
    with open(os.path.join(run.ROOT, name), "a", encoding="utf-8") as file:
        file.write("\n")
    assert not run.is_set_up(python, stamp)


def test_the_stamp_breaks_when_the_folder_moves(run, monkeypatch):
    pretend_set_up(run)
    moved = Path(run.ROOT).rename(Path(run.ROOT).parent / "moved")
    monkeypatch.setattr(run, "ROOT", str(moved))
    assert not run.is_set_up(str(moved / ".venv/bin/python"), str(moved / ".venv/handgrad-stamp"))


@posix_only
def test_the_stamp_breaks_when_the_python_under_it_is_another_or_gone(run, tmp_path):
    python, stamp = pretend_set_up(run)
    os.remove(python)
    assert not run.is_set_up(python, stamp)
    os.symlink(script(tmp_path / "python3.99", ""), python)
    assert not run.is_set_up(python, stamp)


@pytest.fixture
def steps(run, monkeypatch) -> list[str]:
    """The titles of the steps taken; nothing is installed, and the third one is interrupted as by Ctrl-C."""
    titles = []

    def step(title, command, env):
        titles.append(title)
        if len(titles) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "step", step)
    monkeypatch.setattr(run, "why_no_wheel", lambda facts: None)
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    monkeypatch.setattr(run.subprocess, "check_output", lambda *_, **__: b"ruff")
    monkeypatch.setattr(run, "facts_of", lambda command: {"version": "3.11", "path": "python"})
    return titles


def test_changed_pins_install_into_the_environment_that_is_there(run, steps):
    _, stamp = pretend_set_up(run)
    Path(stamp).write_text("of an older constraints.txt", encoding="utf-8")
    python = run.set_up(".venv", run.VERSIONS)
    assert steps == ["pip for the environment", "the packages, about 150"]
    assert run.is_set_up(python, stamp)


def test_an_interrupted_set_up_leaves_no_stamp_and_the_next_one_starts_afresh(run, steps):
    python, stamp = pretend_set_up(run)
    Path(stamp).write_text("of an older constraints.txt", encoding="utf-8")
    steps.append("a step before")
    with pytest.raises(KeyboardInterrupt):
        run.set_up(".venv", run.VERSIONS)
    assert not os.path.exists(stamp)

    del steps[:]
    run.set_up(".venv", run.VERSIONS)
    assert steps == ["an environment of its own", "the packages, about 150"]
    assert run.is_set_up(python, stamp)


def test_a_python_that_is_too_old_is_told_what_is_needed(run, monkeypatch):
    monkeypatch.setattr(run, "find_python", lambda versions: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.13 or 3\.12 or 3\.11; this is 3\.\d+, .* install one"):
        run.set_up(".venv", run.VERSIONS)


@posix_only
def test_a_shim_that_does_not_run_is_passed_over(run, tmp_path, monkeypatch):
    script(tmp_path / "shims" / f"python{OTHER}", "exit 127")
    told = f'{{"version": "{OTHER}", "path": "the real one"}}'
    script(tmp_path / "real" / f"python{OTHER}", f"echo '{told}'")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'nothing'}:{tmp_path / 'real'}")
    assert run.find_python([OTHER])["path"] == "the real one"


@posix_only
def test_a_python_that_pyenv_keeps_off_the_path_is_found(run, tmp_path, monkeypatch):
    told = f'{{"version": "{OTHER}", "path": "of pyenv"}}'
    script(tmp_path / "versions" / f"{OTHER}.1" / "bin" / "python", f"echo '{told}'")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert run.find_python([OTHER])["path"] == "of pyenv"


def test_this_python_is_preferred(run):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert run.find_python(run.VERSIONS) == run.facts_of([sys.executable])
    assert run.find_python(run.VERSIONS)["version"] == version


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"system": "darwin", "machine": "x86_64"}, "Intel Macs"),
        ({"system": "linux", "machine": "x86_64", "musl": True}, "musl"),
        ({"system": "linux", "machine": "x86_64", "bits": 32}, "64-bit"),
        ({"system": "linux", "machine": "riscv64"}, "linux on riscv64"),
        ({"system": "win32", "machine": "arm64"}, "win32 on arm64"),
        ({"system": "freebsd14", "machine": "amd64"}, "freebsd14"),
    ],
)
def test_a_machine_without_jaxlib_is_told_what_to_use(run, machine, words):
    sentence = run.why_no_wheel({"bits": 64, "musl": False, **machine})
    assert words in sentence
    assert "use" in sentence or "install" in sentence


@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "amd64")]
)
def test_a_machine_with_jaxlib_is_not_refused(run, system, machine):
    assert run.why_no_wheel({"system": system, "machine": machine, "bits": 64, "musl": False}) is None


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("NewConnectionError('[Errno -3] Temporary failure in name resolution')", "check the network"),
        ("error: Request failed\n  Caused by: dns error: failed to lookup address", "check the network"),
        ("ERROR: No matching distribution found for jaxlib>=0.10.1", "No jaxlib exists"),
        ("hint: jaxlib (v0.10.1) has no wheels with a matching platform tag", "No jaxlib exists"),
        ("because ensurepip is not available.  On Debian/Ubuntu systems", "apt install python3-venv"),
        ("/usr/bin/python3: No module named venv", "apt install python3-venv"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
    ],
)
def test_a_failed_installation_is_explained_in_a_sentence(run, output, words):
    assert words in run.why_failed(output)


def test_a_failure_nobody_foresaw_shows_the_installers_last_lines(run, capfd):
    command = [sys.executable, "-c", "print('a strange thing happened'); raise SystemExit(4)"]
    with pytest.raises(SystemExit, match="last lines are above"):
        run.step("the packages", command, dict(os.environ))
    assert "a strange thing happened" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], ["course", "tour"]),
        (["check", "mlp", "--why"], ["course", "check", "mlp", "--why"]),
        (["test"], ["python", "-m", "pytest", "-n", "auto", "--maxprocesses", "8", "--dist", "loadfile"]),
        (["test", "-k", "two words"], ["python", "-m", "pytest", "-k", "two words"]),
    ],
)
def test_arguments_go_to_the_command_meant(run, monkeypatch, arguments, command):
    def become(command, env):
        raise SystemExit([Path(command[0]).stem, *command[1:]])

    monkeypatch.chdir(run.ROOT)
    monkeypatch.setattr(run, "set_up", lambda *_: os.path.join("bin", "python"))
    monkeypatch.setattr(run, "run", become)
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == command


@posix_only
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_first_call_sets_up_and_the_second_only_runs(run, tmp_path, installer):
    """With stand-ins for uv and for a whole Python that note each call and make what the real ones would make."""
    environment = f"""
mkdir -p "$home/bin"
cp "{tmp_path}/bin/python{OTHER}" "$home/bin/python"
printf '#!/bin/sh\\necho "course $*"' > "$home/bin/course"
chmod +x "$home/bin/course"
"""
    script(
        tmp_path / "bin" / f"python{OTHER}",
        f"""
case "$1$2" in
  -c*import*json*) echo '{{"version": "{OTHER}", "path": "{tmp_path}/bin/python{OTHER}",
      "system": "linux", "machine": "x86_64", "bits": 64, "musl": false}}' ;;
  -c*tomllib*) echo ruff; echo 'handgrad[all]' ;;
  -mvenv) echo "$@" >> "{tmp_path}/calls"; home="$4"; {environment} ;;
  -mpip) echo "$@" >> "{tmp_path}/calls" ;;
esac
""",
    )
    if installer == "uv":
        script(
            tmp_path / "bin" / "uv",
            f"""
echo "$@" >> "{tmp_path}/calls"
if [ "$1" = venv ]; then home="$4"; {environment} fi
""",
        )
    program = f"""
import sys; sys.path.insert(0, {run.ROOT!r}); sys.argv = ["run.py", "check", "mlp"]
import run; run.VERSIONS = ["{OTHER}"]; run.main(sys.argv[1:])
"""
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path)}

    def call():
        return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)

    first = call()
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert first.stdout == "course check mlp\n"
    assert f"in .venv, once, with {installer} and Python {OTHER}" in first.stderr
    assert "--constraint constraints.txt -e .[all] ruff\n" in calls
    second = call()
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert (tmp_path / "calls").read_text(encoding="utf-8") == calls


def test_what_we_print_to_type_next_names_the_command_that_was_typed(run, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["../run.py", "check"])
    command = run.environment(os.path.join(run.ROOT, ".venv", "bin", "python"))["HANDGRAD_COMMAND"]
    assert command.endswith("../run.py")


def test_the_check_starts_no_process_and_imports_nothing_but_the_standard_library(run):
    python, stamp = pretend_set_up(run)
    program = f"""
import sys
sys.path.insert(0, {run.ROOT!r})
import run
run.subprocess.Popen = None
assert run.is_set_up({python!r}, {stamp!r})
print(*sorted({{name.partition(".")[0] for name in sys.modules}} - {{*sys.stdlib_module_names, "__main__", "run"}}))
"""
    told = subprocess.run([sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == ""
