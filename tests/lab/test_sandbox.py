"""What is known inside the lab's sandbox."""

import os
import subprocess
import sys
from pathlib import Path

CACHE_INSIDE = "from lab.sandbox import ENVIRONMENT; import subprocess, sys; \
print(subprocess.check_output(['env', '-i', *ENVIRONMENT, sys.executable, '-c', 'from lab.settings import CACHE; print(CACHE)'], text=True))"


def test_a_cache_that_was_moved_is_found_inside_the_sandbox_too(tmp_path: Path) -> None:
    """What plays the internet would show certificates of an authority that nobody trusts."""
    outside = {**os.environ, "PERIMETER_LAB_CACHE": str(tmp_path / "cache")}
    inside = subprocess.run([sys.executable, "-c", CACHE_INSIDE], env=outside, capture_output=True, text=True, check=True).stdout
    assert inside.strip() == str(tmp_path / "cache")


def test_the_cache_of_a_starter_with_another_home_is_found_inside_the_sandbox_too(tmp_path: Path) -> None:
    """`sudo` may leave HOME as it is."""
    outside = {**os.environ, "HOME": str(tmp_path)}
    outside.pop("PERIMETER_LAB_CACHE", None)
    inside = subprocess.run([sys.executable, "-c", CACHE_INSIDE], env=outside, capture_output=True, text=True, check=True).stdout
    assert inside.strip() == str(tmp_path / ".cache/perimeter/lab")
