"""The command as users meet it: help, exit codes, and no noise."""

import subprocess
import sys

import pytest

from skelact.cli import main as command_table
from skelact.cli.main import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command, capsys):
    try:
        code = main([command, "--help"])
    except SystemExit as end:
        code = end.code
    assert code == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"skelact {command}" in said.out
    assert "--help" in said.out


@pytest.mark.parametrize("command", ["recognize", "train", "show", "pose", "evaluate", "models",
                                     "data"])
def test_help_loads_nothing_heavy(command):
    program = (
        "import sys\nfrom skelact.cli.main import main\n"
        f"try: main(['{command}', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'scipy', 'av', 'matplotlib', 'cv2', 'torch_geometric'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[]"


def fake(monkeypatch, error: BaseException):
    def run(arguments):
        raise error

    module = type(sys)("skelact.cli.show")
    module.run = run
    monkeypatch.setitem(sys.modules, "skelact.cli.show", module)


def test_control_c_ends_quietly_with_130(monkeypatch, capsys):
    fake(monkeypatch, KeyboardInterrupt())
    assert main(["show"]) == 130
    assert capsys.readouterr().err.strip() == "skelact show: stopped"


def test_trouble_with_files_is_one_line(monkeypatch, capsys):
    fake(monkeypatch, PermissionError(13, "Permission denied", "secret.npz"))
    assert main(["show"]) == 2
    error = capsys.readouterr().err
    assert error == "skelact show: [Errno 13] Permission denied: 'secret.npz'\n"


def test_a_reader_that_leaves_early_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    fake(monkeypatch, BrokenPipeError())
    assert main(["show"]) == 0


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    fake(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["show"])


def test_the_table_says_what_each_command_does():
    assert command_table.__doc__
    assert all(what and what[0].islower() for what in COMMANDS.values())
