"""Every declared dependency is installed and can be imported beside the others."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

import pytest


def declared() -> list[str]:
    names = {re.match(r"[A-Za-z0-9_.-]+", line).group() for line in requires("skelact")}
    return sorted(name for name in names if name != "skelact")


def import_name(distribution: str) -> str:
    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    packages = [
        package
        for package, owners in packages_distributions().items()
        if plain(distribution) in map(plain, owners) and not package.startswith("_")
    ]
    if not packages:
        pytest.fail(f"{distribution} is declared but not installed")
    same = [package for package in packages if plain(package) == plain(distribution)]
    return (same or packages)[0]


def test_all_import_together(tmp_path):
    imports = [import_name(name) for name in declared()]
    assert "torch" in imports
    code = "\n".join(f"import {name}" for name in imports)
    environment = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false",
                   "YOLO_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True,
                          text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
