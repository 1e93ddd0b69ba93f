"""What several tests of training use."""

import pytest
from actions import write_actions, write_others

from skelact.datasets.store import Store
from skelact.training import run_folder
from skelact.visualization.learning_curves import draw_learning_curves


@pytest.fixture
def curves(monkeypatch) -> None:
    """The curves are drawn."""
    monkeypatch.setattr(run_folder, "draw_learning_curves", draw_learning_curves)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """32 clips of two actions."""
    return write_actions(tmp_path_factory.mktemp("data") / "store", clips=32)


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> str:
    """The folder of clips of three actions, one of them known, of seven people."""
    return write_others(tmp_path_factory.mktemp("data") / "others", ("wave", "bow", "legs"),
                        tuple(range(1, 8)))
