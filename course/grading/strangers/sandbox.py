"""Confines this process, for good: limits, no new privileges, Landlock, seccomp. Through ctypes, as any user, on Linux.

    rlimits     CPU time, memory, size of a file, open files, no core dump
    landlock    no file but those named; no TCP; no signal to others (where the kernel knows how)
    seccomp     no other process or program, no socket, no change of rights or times of files, no signal to others
    no_caps     root keeps no capability

Source: Linux's userspace documentation of Landlock and of seccomp filters.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

LAYERS = ("rlimits", "no_new_privs", "no_caps", "landlock", "seccomp")
"""All layers, in the order in which they are put on."""

NEEDED = frozenset(LAYERS)
"""Without one of these nothing of a stranger's is run, unless somebody says so."""


@dataclass(frozen=True)
class Limits:
    """What one submission's process may use."""

    cpu_seconds: int = 60
    memory_bytes: int = 2 << 30
    file_bytes: int = 16 << 20
    files: int = 64


@dataclass(frozen=True)
class Confinement:
    """Files and folders that may be read, the one folder that may be written to, and the limits."""

    readable: tuple[str, ...]
    scratch: str
    limits: Limits = Limits()


def confine(confinement: Confinement) -> tuple[str, ...]:
    """Puts on every layer that this system has, and says which ones hold."""
    if sys.platform != "linux":
        return ()
    steps: dict[str, Callable[[], object]] = {
        "rlimits": lambda: _limit(confinement.limits),
        "no_new_privs": lambda: _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
        "no_caps": _drop_capabilities,
        "landlock": lambda: _landlock(confinement),
        "seccomp": _seccomp,
    }
    return tuple(name for name in LAYERS if _holds(steps[name]))


def _holds(step: Callable[[], object]) -> bool:
    try:
        step()
    except OSError:
        return False
    return True


def _limit(limits: Limits) -> None:
    import resource  # Windows has none

    for what, most in (
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_DATA, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 22, 24, 38
_CAPABILITIES = 64
"""More than any kernel has."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    """What a call returned.

    Raises:
        OSError: It failed.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _call(number: int, *arguments: object) -> int:
    return _checked(_libc().syscall(ctypes.c_long(number), *arguments))


def _drop_capabilities() -> None:
    for capability in range(_CAPABILITIES):
        _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # of no effect without the right to
    header = ctypes.create_string_buffer(struct.pack("II", 0x20080522, 0))
    nothing = ctypes.create_string_buffer(bytes(24))
    _call(_numbers()["capset"], header, nothing)


# --- Landlock

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_OF_FILES = (1 << 0) | (1 << 1) | _READ_FILE | (1 << 14)
"""Rights that a single file can have: execute, write, read, truncate."""
_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_RIGHTS = 16
"""How many rights to files a version of Landlock knows; later ones know the most."""
_TCP, _SCOPES = 3, 3


def _landlock(confinement: Confinement) -> None:
    version = _call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    rights = (1 << _FS_RIGHTS.get(version, _MOST_RIGHTS)) - 1
    handled = [rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0]
    size = 8 * (3 if version >= 6 else 2 if version >= 4 else 1)
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", *handled))
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path in confinement.readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for device in ("/dev/null", "/dev/urandom"):
            _allow(ruleset, device, _READ_FILE | (1 << 1))
        _allow(ruleset, confinement.scratch, rights)
        _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        allowed = rights if os.path.isdir(path) else rights & _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, place))
        _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(place)


# --- seccomp

_REFUSED = (
    "socket socketpair bind listen accept connect accept4 execve execveat ptrace process_vm_readv "
    "process_vm_writev unshare setns mount umount2 bpf io_uring_setup io_uring_enter io_uring_register add_key "
    "request_key keyctl perf_event_open userfaultfd fork vfork tkill pidfd_send_signal pidfd_open pidfd_getfd chroot "
    "pivot_root kexec_load init_module finit_module delete_module swapon reboot settimeofday clock_settime acct "
    "quotactl open_by_handle_at setrlimit chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes "
    "futimesat utimensat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setsid setpgid"
).split()

_X86_64 = dict(
    item.split("=")
    for item in (
        "socket=41 socketpair=53 bind=49 listen=50 accept=43 connect=42 sendto=44 accept4=288 execve=59 execveat=322 "
        "ptrace=101 process_vm_readv=310 process_vm_writev=311 unshare=272 setns=308 mount=165 umount2=166 bpf=321 "
        "io_uring_setup=425 io_uring_enter=426 io_uring_register=427 add_key=248 request_key=249 keyctl=250 "
        "perf_event_open=298 userfaultfd=323 fork=57 vfork=58 clone=56 clone3=435 kill=62 tkill=200 tgkill=234 "
        "pidfd_send_signal=424 pidfd_open=434 pidfd_getfd=438 chroot=161 pivot_root=155 kexec_load=246 "
        "init_module=175 finit_module=313 delete_module=176 swapon=167 reboot=169 settimeofday=164 clock_settime=227 "
        "acct=163 quotactl=179 open_by_handle_at=304 setrlimit=160 prlimit64=302 capset=126 chmod=90 fchmod=91 "
        "chown=92 fchown=93 lchown=94 fchmodat=268 fchmodat2=452 fchownat=260 utime=132 utimes=235 futimesat=261 "
        "utimensat=280 setxattr=188 lsetxattr=189 fsetxattr=190 removexattr=197 lremovexattr=198 fremovexattr=199 "
        "setsid=112 setpgid=109"
    ).split()
)
_AARCH64 = dict(
    item.split("=")
    for item in (
        "socket=198 socketpair=199 bind=200 listen=201 accept=202 connect=203 sendto=206 accept4=242 execve=221 "
        "execveat=281 ptrace=117 process_vm_readv=270 process_vm_writev=271 unshare=97 setns=268 mount=40 umount2=39 "
        "bpf=280 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 add_key=217 request_key=218 keyctl=219 "
        "perf_event_open=241 userfaultfd=282 clone=220 clone3=435 kill=129 tkill=130 tgkill=131 pidfd_send_signal=424 "
        "pidfd_open=434 pidfd_getfd=438 chroot=51 pivot_root=41 kexec_load=104 init_module=105 finit_module=273 "
        "delete_module=106 swapon=224 reboot=142 settimeofday=170 clock_settime=112 acct=89 quotactl=60 "
        "open_by_handle_at=265 setrlimit=164 prlimit64=261 capset=91 fchmod=52 fchmodat=53 fchmodat2=452 fchownat=54 "
        "fchown=55 utimensat=88 setxattr=5 lsetxattr=6 fsetxattr=7 removexattr=14 lremovexattr=15 fremovexattr=16 "
        "setsid=157 setpgid=154"
    ).split()
)
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
"""For each machine that is known: its mark in a filter, and its numbers of system calls."""

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE = 0, 4
_CLONE_THREAD = 0x10000
_X32 = 0x40000000

_Instruction = tuple[int, int, int, int]


def _numbers() -> dict[str, int]:
    """The numbers of system calls on this machine.

    Raises:
        OSError: It is a machine that isn't known.
    """
    if platform.machine() not in _MACHINES:
        raise OSError(errno.ENOSYS, "no table of system calls for this machine")
    return {name: int(number) for name, number in _MACHINES[platform.machine()][1].items()}


def _seccomp() -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _filter(_numbers(), os.getpid()))
    buffer = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer)))
    _checked(_libc().prctl(_PR_SET_SECCOMP, 2, program, 0, 0))


def _filter(numbers: dict[str, int], me: int) -> list[_Instruction]:
    """The filter: each call that is refused or looked into, and all others allowed."""
    architecture = _MACHINES[platform.machine()][0]
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture == _MACHINES["x86_64"][0]:
        code += [(0x35, 0, 1, _X32), (_RETURN, 0, 0, _error(errno.EPERM))]  # at least: the other numbering
    for name in _REFUSED:
        if name in numbers:
            code += [(_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, _error(errno.EPERM))]
    code += [(_EQUAL, 0, 1, numbers["clone3"]), (_RETURN, 0, 0, _error(errno.ENOSYS))]
    code += _looked_into(numbers["clone"], [(_LOAD, 0, 0, _argument(0)), (_SET, 1, 0, _CLONE_THREAD)])
    for name in ("kill", "tgkill"):
        code += _looked_into(numbers[name], [(_LOAD, 0, 0, _argument(0)), (_EQUAL, 1, 0, me)])
    code += _looked_into(numbers["prlimit64"], [(_LOAD, 0, 0, _argument(2)), (_EQUAL, 1, 0, 0)])
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _looked_into(number: int, question: Sequence[_Instruction]) -> list[_Instruction]:
    """Allows one call if the last instruction of the question jumps, and refuses it otherwise."""
    answers = [(_RETURN, 0, 0, _error(errno.EPERM)), (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(question) + len(answers), number), *question, *answers]


def _argument(place: int) -> int:
    """Where the lower half of an argument stands; both machines are little-endian."""
    return 16 + 8 * place


def _error(number: int) -> int:
    return _ERROR | number


# --- what may be read


def readable_for(lessons: Iterable[str], submission: str) -> tuple[str, ...]:
    """What a submission's process may read: Python and what is installed, the lessons, and the submission."""
    prefixes = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    libraries = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime"]
    libraries += ["/usr/share/zoneinfo", "/sys/devices/system/cpu"]
    installed = [path for prefix in sorted(prefixes) for path in _without_the_course(Path(prefix))]
    return (*libraries, *installed, *lessons, submission)


def _without_the_course(place: Path) -> list[str]:
    """A folder, or, where the course lies in it, the parts of it that are not the course's."""
    course = Path(__file__).resolve().parents[2]
    if place == course:
        return []
    inside = course.is_relative_to(place) or (place / "solutions").is_dir()
    if not inside:
        return [str(place)]
    kept = [entry for entry in place.iterdir() if entry.name != "solutions"]
    return [path for entry in kept for path in (_without_the_course(entry) if entry.is_dir() else [str(entry)])]
