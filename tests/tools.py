"""Programs and packages that tests call: a test that misses one is skipped, but in CI it fails and says what to install."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TypeAlias

import pytest

Told: TypeAlias = Callable[..., tuple[int, str, str]]  # runs a command: its exit code and what it wrote


def tool(*names: str, package: str) -> str:
    """The path of the first of these programs that is there. `package`: Debian's that has it."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    return lacking(f"{' or '.join(names)} is missing: apt-get install {package}")


def lacking(why: str) -> str:
    """Ends the test; never returns."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    raise AssertionError(why)
