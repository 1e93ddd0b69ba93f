"""The environment of a run: what made it, not who."""

import getpass
import json
import platform
import subprocess
import sys

from skelact.training.environment import describe_environment, find_commit


def test_it_names_versions_and_machine_and_nobody(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "bin" / "skelact"), "train", "ntu60", "--data",
                                      "my stores/a"])
    monkeypatch.setenv("WORLD_SIZE", "2")
    found = describe_environment()
    assert found["command"] == "skelact train ntu60 --data 'my stores/a'"
    assert found["python"] == platform.python_version()
    assert found["processes"] == 2
    text = json.dumps(found)
    assert str(tmp_path) not in text
    assert f"/{getpass.getuser()}/" not in text


def test_python_dash_m_is_the_command_too(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/skelact/__main__.py", "train", "x.yaml"])
    assert describe_environment()["command"] == "skelact train x.yaml"


def test_the_commit_of_a_checkout(tmp_path):
    def git(*words):
        names = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", "-C", str(tmp_path), *names, *words], check=True,
                              capture_output=True, text=True)
        return done.stdout.strip()

    assert find_commit(tmp_path) is None
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "HEAD")
    assert find_commit(tmp_path) == commit
    (tmp_path / "file").write_text("2")
    assert find_commit(tmp_path) == f"{commit}+changes"
    (tmp_path / "package").mkdir()  # installed somewhere below another's checkout
    assert find_commit(tmp_path / "package") is None
