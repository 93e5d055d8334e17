"""JAX's persistent compilation cache, kept in the user's own cache folder: small programs too, bounded, and silent.

Imports no JAX. Call `use_compile_cache` before JAX is imported where you can: on JAX 0.10.1 the native log is opened by
the import, and a reloaded program writes screens of warnings there.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

LARGEST_CACHE = 200 * 1024 * 1024
"""Bytes. A program of this course takes about 0.1 MB; JAX's own bound would need the package filelock."""

KEPT: dict[str, Any] = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
    "jax_persistent_cache_enable_xla_caches": "none",
}
"""By default JAX keeps only what took a second to compile, which is nothing that is trained or judged here; and it puts
the path of the folder, where a GPU's compiler would keep notes, into the key of every program: none is found again in a
folder that was moved."""


def use_compile_cache(folder: Path | None = None) -> Path | None:
    """Keeps compiled programs in `folder`, or in the user's cache folder.

    Whoever has chosen a folder for JAX already (JAX_COMPILATION_CACHE_DIR) keeps it, unbounded.

    Returns:
        The folder, or None where none can be written to.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Two processes may write one entry at once, and one may be killed over it: the program is then compiled again.
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
    chosen = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    place = folder or (Path(chosen) if chosen else cache_folder() / "jax")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if str(place) != chosen:
        discard_oldest(place, LARGEST_CACHE)
    _tell_jax({"jax_compilation_cache_dir": str(place), **KEPT})
    return place


def cache_folder() -> Path:
    """Where this user's caches of handgrad lie: HANDGRAD_CACHE, or what the platform has for the purpose."""
    if chosen := os.environ.get("HANDGRAD_CACHE"):
        return Path(chosen)
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "handgrad" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "handgrad"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "handgrad"


def discard_oldest(folder: Path, most_bytes: int) -> None:
    """Deletes the files that were written first until the others take at most `most_bytes`."""
    stats = [(file, file.stat()) for file in folder.rglob("*") if file.is_file()]
    kept = 0
    for file, stat in sorted(stats, key=lambda one: one[1].st_mtime, reverse=True):
        kept += stat.st_size
        if kept > most_bytes:
            file.unlink(missing_ok=True)


def as_variables(settings: dict[str, Any]) -> dict[str, str]:
    """JAX's options as variables of the environment."""
    return {name.upper(): str(value) for name, value in settings.items()}


def _tell_jax(settings: dict[str, Any]) -> None:
    """Sets JAX's options: through the environment before it is imported, through its own door after."""
    if "jax" in sys.modules:
        for name, value in settings.items():
            sys.modules["jax"].config.update(name, value)
    else:
        os.environ.update(as_variables(settings))
