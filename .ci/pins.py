"""Makes the pins: constraints.txt, and its mirror in pyproject.toml under [tool.uv].

    python .ci/pins.py             # resolve afresh with uv, then write both
    python .ci/pins.py --mirror    # only copy constraints.txt into pyproject.toml

One file serves Python 3.11 to 3.13 on every platform, by markers. It holds neither addresses nor hashes.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIRROR = re.compile(r"(?<=^constraint-dependencies = \[\n).*?(?=^\]$)", re.MULTILINE | re.DOTALL)
EXPORT = (
    "uv export --format requirements.txt --all-extras --all-groups --no-emit-project --no-header --no-annotate"
    " --no-hashes --quiet"
)


def mirrored(pyproject: str, pins: list[str]) -> str:
    """Returns the text of pyproject.toml with `pins` as uv's constraints."""
    text, count = MIRROR.subn(lambda _: "".join(f'    "{pin}",\n' for pin in pins), pyproject)
    if count != 1:
        sys.exit(f"pyproject.toml must have one list `constraint-dependencies`, one pin a line; it has {count}.")
    return text


def resolved() -> str:
    """Returns the newest set of versions that fits pyproject.toml, its present pins left aside."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ["README.md", "LICENSE"]:
            Path(folder, name).write_bytes((ROOT / name).read_bytes())
        free = mirrored((ROOT / "pyproject.toml").read_text(encoding="utf-8"), [])
        Path(folder, "pyproject.toml").write_text(free, encoding="utf-8")
        return subprocess.run(EXPORT.split(), cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Writes constraints.txt (unless told --mirror) and its mirror."""
    constraints, pyproject = ROOT / "constraints.txt", ROOT / "pyproject.toml"
    if sys.argv[1:] != ["--mirror"]:
        constraints.write_text(resolved(), encoding="utf-8", newline="\n")
    pins = constraints.read_text(encoding="utf-8").splitlines()
    text = mirrored(pyproject.read_text(encoding="utf-8"), pins)
    pyproject.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(pins)} pins in constraints.txt and pyproject.toml")


if __name__ == "__main__":
    main()
