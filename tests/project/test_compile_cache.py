"""Claims about compiled programs that are kept in a folder."""

import os
import subprocess
import sys

COMPILES = """
from course.compile_cache import use_compile_cache
use_compile_cache()
import jax
jax.jit(lambda x: x * 3)(2.0)
"""


def test_a_program_is_found_again_in_a_folder_that_was_moved(tmp_path):
    def programs_in(folder):
        environment = os.environ | {"HANDGRAD_CACHE": str(folder), "JAX_PLATFORMS": "cpu"}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        subprocess.run([sys.executable, "-c", COMPILES], env=environment, check=True)
        return sorted(file.name for file in (folder / "jax").iterdir() if file.name.endswith("-cache"))

    before = programs_in(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert programs_in(tmp_path / "there") == before
    assert before
