"""The filter of system calls on every machine that it knows, read here as the kernel would read it."""

import errno
import importlib
import re
from pathlib import Path

import pytest

from course.cli import main
from course.grading.cohort.pool import NotSafe
from course.grading.strangers import processes, sandbox
from course.grading.strangers.processes import NotConfined, Server, Terms

grade = importlib.import_module("course.cli.grade")
HEADERS = {
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
}
OLD = 1024
"""In the generic table, the numbers from here on are of calls that a 64-bit ARM kernel does not have."""

ME = 4321
KILLED, ALLOWED = sandbox._KILL, sandbox._ALLOW
DENIED, MISSING = sandbox._error(errno.EPERM), sandbox._error(errno.ENOSYS)


def header_of(machine):
    """The numbers by name, as Linux's own header gives them."""
    if not HEADERS[machine].exists():
        pytest.skip("Linux's headers are not installed")
    text = HEADERS[machine].read_text(encoding="utf-8")
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}


@pytest.mark.parametrize("machine", HEADERS)
def test_every_number_of_a_system_call_is_linux_s_own(machine):
    header = header_of(machine)
    ours = {name: int(number) for name, number in sandbox._MACHINES[machine][1].items()}
    assert {name: header.get(name, number) for name, number in ours.items()} == ours
    assert len(header.keys() & ours.keys()) >= len(ours) - 1  # fchmodat2 is newer than many headers


@pytest.mark.parametrize("machine", HEADERS)
def test_a_refused_call_that_a_machine_has_no_number_for_does_not_exist_there(machine):
    header = header_of(machine)
    unnumbered = [name for name in sandbox._REFUSED if name not in sandbox._MACHINES[machine][1]]
    assert [name for name in unnumbered if header.get(name, OLD) < OLD] == []


def verdict(code, architecture, number, *arguments):
    """What a filter returns for one call."""
    words = {sandbox._NUMBER: number, sandbox._ARCHITECTURE: architecture}
    words |= {sandbox._argument(place): value for place, value in enumerate(arguments)}
    place = loaded = 0
    while True:
        operation, then, otherwise, constant = code[place]
        if operation == sandbox._RETURN:
            return constant
        if operation == sandbox._LOAD:
            loaded = words[constant]
            place += 1
            continue
        holds = {
            sandbox._EQUAL: loaded == constant,
            sandbox._SET: bool(loaded & constant),
            0x35: loaded >= constant,
        }[operation]
        place += 1 + (then if holds else otherwise)


@pytest.mark.parametrize("machine", sandbox._MACHINES)
def test_the_filter_refuses_what_it_names_and_nothing_else(machine, monkeypatch):
    monkeypatch.setattr(sandbox.platform, "machine", lambda: machine)
    mark, numbers = sandbox._MACHINES[machine][0], sandbox._numbers()
    code = sandbox._filter(numbers, ME)

    def asked(name, *arguments):
        return verdict(code, mark, numbers[name], *arguments)

    assert {name for name in sandbox._REFUSED if name in numbers and asked(name) != DENIED} == set()
    assert asked("clone3") == MISSING
    assert (asked("clone", sandbox._CLONE_THREAD), asked("clone", 17)) == (ALLOWED, DENIED)
    for signal in ("kill", "tgkill"):
        assert (asked(signal, ME), asked(signal, ME + 1)) == (ALLOWED, DENIED)
    assert (asked("prlimit64", 0, 2, 0), asked("prlimit64", 0, 2, 99)) == (ALLOWED, DENIED)
    looked_into = {"clone", "clone3", "kill", "tgkill", "prlimit64"}
    known = {numbers[name] for name in numbers if name in sandbox._REFUSED or name in looked_into}
    assert all(verdict(code, mark, number) == ALLOWED for number in range(460) if number not in known)
    assert verdict(code, mark ^ 1, 0) == KILLED


def test_on_a_system_that_confines_nothing_nothing_runs(tmp_path, monkeypatch):
    elsewhere = "from course.grading.strangers import sandbox; import types; "
    elsewhere += "sandbox.sys = types.SimpleNamespace(**{**vars(sys), 'platform': 'darwin'}); from course"
    monkeypatch.setattr(processes, "_PROGRAM", processes._PROGRAM.replace("from course", elsewhere))
    (tmp_path / "work.py").write_text("raise SystemExit\n", encoding="utf-8")
    server = Server(Terms())
    with pytest.raises(NotConfined, match="landlock, no_caps, no_new_privs, rlimits, seccomp"):
        server.start(tmp_path / "work.py")
    server.close()


def test_a_teacher_is_told_in_one_sentence_that_nothing_was_run(tmp_path, monkeypatch, capsys):
    def unsafe(*_):
        raise NotSafe("landlock, seccomp")

    monkeypatch.setattr(grade, "grade_all", unsafe)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.py").write_text("def square_bwd(x, y_bar):\n    return (0,)\n", encoding="utf-8")
    assert main(["grade", str(tmp_path / "class"), "--csv", str(tmp_path / "grades.csv")]) != 0
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "(landlock, seccomp), so nothing was run" in said
    assert "--trust-submissions" in said
