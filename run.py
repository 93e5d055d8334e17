"""Sets handgrad up in .venv, once, and runs it. Needs Python and nothing else.

    python3 run.py               # the tour
    python3 run.py test          # the test suite, on every core; what follows goes to pytest instead
    python3 run.py check mlp     # anything else is the command `course`, here `course check mlp`

The syntax is Python 3.6's, to be able to say that a Python is too old.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VERSIONS = ["3.13", "3.12", "3.11"]  # the tested ones, best first
WINDOWS = os.name == "nt"

FACTS = """
import json, platform, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2], "path": sys.executable, "system": sys.platform,
    "machine": platform.machine().lower(), "bits": 64 if sys.maxsize > 2**32 else 32,
    "musl": "musl" in str(sysconfig.get_config_var("SOABI")),
}))
"""
DEV_GROUP = """
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\\n")
"""
ON_EVERY_CORE = ["-n", "auto", "--maxprocesses", "8", "--dist", "loadfile"]  # a process takes up to 3 GB
NETWORK_WORDS = """name resolution|establish a new connection|dns error|error sending request|connection refused
|connection reset|timed out|network is unreachable|nodename nor servname|getaddrinfo failed|proxyerror"""


def say(text):
    """Prints one step, on stderr: stdout belongs to the command that follows."""
    print(text, file=sys.stderr, flush=True)


def facts_of(command):
    """Returns what the Python behind `command` tells of itself, or None when it doesn't run, as an idle shim."""
    try:
        told = subprocess.check_output([*command, "-c", FACTS], stderr=subprocess.DEVNULL)
        return json.loads(told.decode())
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def find_python(versions):
    """Returns the facts of a Python of one of `versions`: this one, else one on the PATH or of pyenv; or None."""
    this = "{}.{}".format(*sys.version_info)
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for version in sorted(versions, key=lambda version: version != this):
        folders = os.environ.get("PATH", "").split(os.pathsep)
        paths = [sys.executable] if version == this else []
        paths += [os.path.join(folder, "python" + version) for folder in folders]
        paths += glob.glob(os.path.join(pyenv, "versions", version + ".*", "bin", "python"))
        for command in [[path] for path in paths] + [["py", "-" + version]] * WINDOWS:
            facts = facts_of(command)
            if facts and facts["version"] == version:
                return facts
    return None


def why_no_wheel(facts):
    """Returns why JAX has nothing to install for this Python and what to do, in a sentence; or None."""
    system, machine = facts["system"], facts["machine"]
    if facts["bits"] != 64:
        return "JAX needs a 64-bit Python and this one has 32: install the 64-bit one."
    if facts["musl"]:
        return "JAX isn't built for musl (Alpine): use a Linux with glibc, such as the image python:3.13-slim."
    if (system, machine) == ("darwin", "x86_64"):
        return (
            "JAX is no longer built for Intel Macs: use another machine or a Linux container"
            " (on Apple silicon: a Python built for arm64)."
        )
    if machine not in {"linux": ["x86_64", "aarch64"], "darwin": ["arm64"], "win32": ["amd64"]}.get(system, []):
        return f"JAX isn't built for {system} on {machine}: use Linux, a Mac with Apple silicon or Windows (AMD64)."
    return None


def why_failed(output):
    """Returns why an installation that printed `output` failed and what to do, in a sentence; or None."""
    output = output.lower()
    if any(words.strip() in output for words in NETWORK_WORDS.split("|")):
        return "The package index can't be reached: check the network or the proxy, then type the same again."
    if "no space left" in output:
        return "The disk is full: make room for 1.5 GB, then type the same again."
    if "jaxlib" in output and ("no matching distribution" in output or "no wheels" in output):
        return "No jaxlib exists for this machine: use a 64-bit Linux with glibc, Apple silicon or Windows."
    if "ensurepip" in output or "no module named venv" in output:
        return (
            "This Python lacks `venv`: on Debian and Ubuntu type `sudo apt install python3-venv`"
            " (elsewhere install uv), then the same again."
        )
    return None


def step(title, command, env):
    """Runs a step of the set-up and shows that it's alive; exits with the reason in a sentence if it fails."""
    start, lines, told = time.time(), [], 0
    news = re.compile(rb"\s*(Collecting|Downloading|Installing|Building|Resolved|Prepared|Installed)\b")
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    width = shutil.get_terminal_size().columns - 1
    while reader.is_alive():
        reader.join(0.2)
        seconds = int(time.time() - start)
        latest = next(filter(news.match, reversed(lines)), b"").decode(errors="replace").strip()
        status = f"  {title} ... {seconds} s  {latest}"[:width]
        if sys.stderr.isatty():
            print("\r" + status.ljust(width), end="\r", file=sys.stderr, flush=True)
        elif seconds >= told + 20:
            told = seconds
            say(status)
    process.stdout.close()
    failed = process.wait() != 0
    blank = " " * width + "\r" if sys.stderr.isatty() else ""
    say(f"{blank}  {title}: {'failed' if failed else 'done'}, {time.time() - start:.0f} s")
    if failed:
        output = b"".join(lines).decode(errors="replace")
        if not why_failed(output):
            say("\n".join(output.splitlines()[-12:]))
        raise SystemExit(why_failed(output) or "The set-up failed: the installer's last lines are above.")


def fingerprint(python):
    """Returns the stamp of an environment that needs nothing: a hash of all that it was made from."""
    digest = hashlib.sha256((ROOT + os.path.realpath(python)).encode())
    for name in ["pyproject.toml", "constraints.txt"]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_set_up(python, stamp):
    """Tells whether the stamp holds."""
    if not (os.path.exists(python) and os.path.exists(stamp)):
        return False
    with open(stamp) as file:
        return file.read() == fingerprint(python)


def set_up(folder, versions):
    """Makes the environment `folder` unless its stamp holds; returns the path of its Python."""
    home = os.path.join(ROOT, folder)
    python = os.path.join(home, "Scripts", "python.exe") if WINDOWS else os.path.join(home, "bin", "python")
    stamp = os.path.join(home, "handgrad-stamp")
    if is_set_up(python, stamp):
        return python
    unfinished = home + ".unfinished"  # stands while a set-up runs; found later, it was interrupted
    present = None if os.path.exists(unfinished) else facts_of([python])
    present = present if present and present["version"] in versions else None
    facts = present or find_python(versions)
    if not facts:
        needed, this = " or ".join(versions), "{}.{}".format(*sys.version_info)
        raise SystemExit(
            f"handgrad needs Python {needed}; this is {this}, and there is no other on the PATH:"
            " install one, then type the same again."
        )
    if why_no_wheel(facts):
        raise SystemExit(why_no_wheel(facts))

    uv = shutil.which("uv")
    uv = uv if uv and subprocess.call([uv, "--version"], stdout=subprocess.DEVNULL) == 0 else None  # may be a shim
    say(f"Setting handgrad up in {folder}, once, with {'uv' if uv else 'pip'} and Python {facts['version']}:")
    env = dict(os.environ, PYTHONUTF8="1", PIP_USER="0", UV_VENV_CLEAR="1")
    # The build backend, too, comes in the pinned version. Paths relative: pip splits this one at spaces.
    env.update(dict.fromkeys(["PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_BUILD_CONSTRAINT"], "constraints.txt"))
    make, install = [facts["path"], "-m", "venv", "--clear", home], [python, "-m", "pip", "install", "--no-compile"]
    if uv:
        make, install = [uv, "venv", "--python", facts["path"], home], [uv, "pip", "install", "--python", python]
    open(unfinished, "w").close()
    if os.path.exists(stamp):
        os.remove(stamp)
    if not present:
        step("an environment of its own", make, env)
    elif not uv:
        step("pip for the environment", [python, "-m", "ensurepip"], env)
    group = subprocess.check_output([python, "-c", DEV_GROUP], cwd=ROOT).decode().split()
    packages = ["-e", ".[all]"] + [package for package in group if not package.startswith("handgrad")]
    step("the packages, about 150", [*install, "--constraint", "constraints.txt", *packages], env)
    with open(stamp, "w") as file:
        file.write(fingerprint(python))
    os.remove(unfinished)
    return python


def run(command, env):
    """Becomes `command`; on Windows, which can't, runs it and exits as it does."""
    if not WINDOWS:
        os.execve(command[0], command, env)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's business
    sys.exit(subprocess.call(command, env=env))


def environment(python):
    """Returns the variables of a shell in which the environment is active."""
    folder = os.path.dirname(python)
    env = dict(os.environ, VIRTUAL_ENV=os.path.dirname(folder))
    env["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    # What to print before `check mlp` so that it works in the shell that this was typed in.
    env["HANDGRAD_COMMAND"] = f"{'python' if WINDOWS else 'python3'} {sys.argv[0]}"
    return env


def suite(python, arguments):
    """Returns the command that tests: the whole suite, else what pytest's `arguments` ask for, in one process."""
    return [python, "-m", "pytest"] + (arguments or ON_EVERY_CORE)


def main(arguments):
    """Sets up, then runs what is asked for."""
    python = set_up(".venv", VERSIONS)
    if arguments[:1] == ["test"]:
        if not any("submission" in argument for argument in arguments):
            os.chdir(ROOT)  # where the suite is; a submission's path is meant from where it was typed
        run(suite(python, arguments[1:]), environment(python))
    course = os.path.join(os.path.dirname(python), "course.exe" if WINDOWS else "course")
    run([course, *(arguments or ["tour"])], environment(python))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted; type the same again to go on.") from None
