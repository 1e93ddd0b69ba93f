"""The package as a whole: what importing it costs, its names, its command."""

import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

import skelact
from skelact.cli.main import COMMANDS, main

HEAVY = ("torch", "torch_geometric", "cv2", "ultralytics", "mediapipe", "matplotlib", "av",
         "scipy", "pandas", "numpy")


def run(*arguments: str, timeout: int = 60) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True,
                          timeout=timeout)


def loaded_by(program: str) -> set[str]:
    result = run("-c", f"import sys, json\n{program}\nprint(json.dumps(sorted(sys.modules)))")
    assert result.returncode == 0, result.stderr
    return {name.partition(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}


def test_importing_loads_nothing_heavy():
    assert loaded_by("import skelact, skelact.cli.main").isdisjoint(HEAVY)


def test_reading_pose_files_loads_no_torch():
    used = loaded_by("import skelact; skelact.load_recording, skelact.Graph, skelact.remap")
    assert "numpy" in used
    assert used.isdisjoint({"torch", "cv2", "ultralytics", "mediapipe", "matplotlib", "av"})


def test_importing_has_no_side_effect(tmp_path):
    program = (
        "import os, logging, threading, warnings\n"
        "def state(): return (dict(os.environ), logging.root.handlers[:], warnings.filters[:],\n"
        "                     threading.active_count(), os.listdir())\n"
        "before = state()\nimport skelact, skelact.cli.main\nassert state() == before\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def test_public_names_are_few_and_all_resolve():
    assert len(skelact.__all__) <= 15
    assert sorted(dir(skelact)) == sorted(skelact.__all__)
    for name in skelact.__all__:
        value = getattr(skelact, name)
        assert name == "__version__" or value.__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        skelact.nothing  # noqa: B018


def test_public_names_are_those_that_type_checkers_see():
    source = Path(skelact.__file__).read_text()
    seen = source.partition("if TYPE_CHECKING:\n")[2].partition("def __getattr__")[0]
    words = set(seen.replace(",", " ").split())
    assert set(skelact.__all__) - {"__version__"} <= words


def test_every_public_name_and_module_is_documented():
    for name in skelact.__all__:
        assert name == "__version__" or getattr(skelact, name).__doc__
    root = Path(skelact.__file__).parent
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith('"""'), f"{path.relative_to(root)} has no docstring"


def test_help_lists_every_command_quickly():
    times = []
    for _ in range(3):
        start = time.perf_counter()
        result = run("-m", "skelact", "--help")
        times.append(time.perf_counter() - start)
        assert result.returncode == 0
    for command in COMMANDS:
        assert f"  {command} " in result.stdout
    assert min(times) < 1.0  # 0.3 s on an idle machine; see benchmarks


def test_version():
    result = run("-m", "skelact", "--version")
    assert result.stdout == f"skelact {skelact.__version__}\n"


def test_every_command_exists():
    for command in COMMANDS:
        assert callable(import_module(f"skelact.cli.{command.replace('-', '_')}").run)


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    assert main(["poes"]) == 2
    error = capsys.readouterr().err
    assert "'poes'" in error
    assert all(command in error for command in COMMANDS)
    assert main([]) == 0
    assert "usage" in capsys.readouterr().out


def test_bad_input_ends_in_one_line_and_exit_code_two(capsys, tmp_path):
    assert main(["show", str(tmp_path / "absent.npz")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("skelact show: ")
    assert "Traceback" not in error
