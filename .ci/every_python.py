"""Runs the whole suite on each supported Python found here, each in an environment of its own (.venv-3.13).

    python3 .ci/every_python.py                # 3.11, 3.12 and 3.13
    python3 .ci/every_python.py 3.13 -- -x     # one of them; what follows -- goes to pytest

Ends with 1 when the suite fails on one of them. A Python that isn't here is named and fails nothing.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import run  # noqa: E402, it lies beside the project, not in a package


def result(version: str, arguments: list[str]) -> str:
    """Returns how the suite ended on this version, in a word or two."""
    if version not in run.VERSIONS:
        return f"FAILED: handgrad is for {', '.join(sorted(run.VERSIONS))}"
    if not run.find_python([version]):
        return "not found here"
    start = time.monotonic()
    try:
        python = run.set_up(f".venv-{version}", [version])
    except SystemExit as reason:
        return f"FAILED: {reason}"
    print(f"Testing on Python {version}:", flush=True)
    code = subprocess.call(run.suite(python, arguments), cwd=ROOT, env=run.environment(python))
    return f"{'passed' if code == 0 else f'FAILED (pytest ended with {code})'}, {time.monotonic() - start:.0f} s"


def main() -> None:
    """Runs, then sums up."""
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    versions, arguments = words[:split] or sorted(run.VERSIONS), words[split + 1 :]
    results = {version: result(version, arguments) for version in versions}
    print("\n".join(["", *(f"Python {version}: {result}" for version, result in results.items())]))
    sys.exit(any("FAILED" in result for result in results.values()))


if __name__ == "__main__":
    main()
