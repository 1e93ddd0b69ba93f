"""README and docs: every code block runs or is marked; the site builds and needs no network."""

import importlib.util
import re
import shlex
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from doc_blocks import (
    PAGES,
    ROOT,
    Block,
    read_blocks,
    run_command,
    run_page,
    run_python,
    shell_words,
    skelact_words,
)
from doc_files import copy_page_files, decide_dots, write_page_files

from skelact.cli.main import COMMANDS
from skelact.pose.estimators import choice

LANGUAGES = ("bash", "python", "yaml", "json", "csv", "text", "")
BLOCKS = [block for page in PAGES for block in read_blocks(page)]
MOST_NOT_RUN = 11
"""Raise it only for what cannot be run in seconds on a small machine without a network."""


@cache
def reference():
    """The module that makes the reference pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/build_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page_files(tmp_path_factory) -> Path:
    return write_page_files(tmp_path_factory.mktemp("files"))


@pytest.mark.usefixtures("no_curves")
@pytest.mark.parametrize("page", [page for page in PAGES if any(
    block.page == page and block.language in ("bash", "python") for block in BLOCKS)])
def test_a_page_runs_from_top_to_bottom(page, page_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choice, "decide_estimator", decide_dots)
    run_page(page, copy_page_files(page_files, tmp_path))


@pytest.mark.parametrize("text", [
    "import numpy as np\nnp.zeros((2, 3))  # [2, 4] rows",
    "print(1 / 4)  # 0.26",
    "import skelact\nskelact.no_such_name",
])
def test_what_a_page_says_wrongly_is_noticed(text):
    run_python(Block("page", 1, "python", "", "print(1 / 4)  # 0.25", None), {})
    with pytest.raises((AssertionError, AttributeError)):
        run_python(Block("page", 1, "python", "", text, None), {})


def test_commands_are_read_as_bash_reads_them():
    text = 'few="a.store --seeds 3"  # why\nskelact train $few \\\n  -o "my runs"\nls && pwd -P; rm'
    assert shell_words(text) == [["skelact", "train", "a.store", "--seeds", "3", "-o", "my runs"],
                                 ["ls"], ["rm"]]
    assert skelact_words("torchrun -m skelact train ntu60 &&\n echo") == [["train", "ntu60"]]


def test_a_command_that_fails_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    block = Block("page", 1, "bash", "", "", None)
    with pytest.raises(AssertionError, match="exit code 2"):
        run_command(["skelact", "data", "info", "nowhere"], block, set())
    with pytest.raises(AssertionError, match="mark the block"):
        run_command(["rm", "-r", "all"], block, set())


def test_blocks_say_what_they_are_written_in_and_why_they_are_not_run():
    assert len(BLOCKS) > 60
    for block in BLOCKS:
        assert block.language in LANGUAGES, block
        assert block.language or "skelact " not in block.text, f"{block}: write ```bash"
        assert block.not_run is None or len(block.not_run.split()) > 1, f"{block}: say why"
    not_run = [str(block) for block in BLOCKS if block.not_run is not None]
    assert len(not_run) <= MOST_NOT_RUN, not_run


def test_commands_in_blocks_have_their_options_also_where_they_are_not_run():
    for block in BLOCKS:
        if block.language == "bash":
            for words in skelact_words(block.text):
                check_words(words, str(block))


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_running_text_have_their_options(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for span in re.findall(r"`(skelact [^`]+)`", text):
        words = shlex.split(span.replace("...", ""))[1:]
        if words[0] in COMMANDS:  # else names of modules, or a sentence about commands
            check_words(words, f"{page}: {span}")


def check_words(words: list[str], where: str) -> None:
    """The command is there, and says so of each option in its help."""
    assert words[0] in COMMANDS, where
    actions = reference().actions(words[0])
    if actions and len(words) > 1:
        assert words[1] in actions or words[1].startswith("-"), where
    known = help_of(*words[:2] if actions else words[:1])
    for word in words:
        if word.startswith("-") and word != "--help":
            option = word.split("=")[0]
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), f"{where}: {word}"


@cache
def help_of(*words: str) -> str:
    return reference().help_text(list(words))


def test_examples_of_extending_are_short():
    blocks = [block for block in BLOCKS if block.page == "docs/extending.md"]
    assert {"python", "yaml"} <= {block.language for block in blocks}
    assert max(len(block.text.splitlines()) for block in blocks) <= 30


class Loaded(HTMLParser):
    """Addresses that a browser fetches to show a page."""

    def __init__(self, html: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.addresses.append(given.get("href") or "")
        self.addresses += [given[name] or "" for name in ("src", "srcset", "data") if name in given]


def test_the_site_builds_strictly_and_fetches_nothing_from_elsewhere(tmp_path):
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d",
                           str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8")
             for path in tmp_path.rglob("*.html")}
    for name, html in pages.items():
        outside = [address for address in Loaded(html).addresses
                   if re.match(r"(https?:)?//", address)]
        assert not outside, (name, outside)
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(url\(|@import) *[\"']?(https?:)?//", sheet.read_text()), sheet
    assert all(f'id="skelact-{command}"' in pages["reference/cli.html"] for command in COMMANDS)
    api = "".join(html for name, html in pages.items() if name.startswith("reference/"))
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts)
               for file in (ROOT / "skelact").rglob("[!_]*.py")]
    assert len(modules) > 200
    for name in (*modules, "skelact.nn.stgcn.STGCN", "skelact.pose.recording.PoseTrack.missing"):
        assert f'id="{name}"' in api, name
