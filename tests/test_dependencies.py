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
    wanted = re.sub(r"[-_.]+", "-", distribution).lower()
    for package, owners in packages_distributions().items():
        if wanted in {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} and (
            not package.startswith("_")
        ):
            return package
    pytest.fail(f"{distribution} is declared but not installed")


def test_all_import_together(tmp_path):
    imports = [import_name(name) for name in declared()]
    assert "torch" in imports
    code = "\n".join(f"import {name}" for name in imports)
    environment = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false",
                   "YOLO_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True,
                          text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
