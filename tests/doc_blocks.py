"""The code blocks of README and docs, and what runs them.

A block runs unless the line before it says ``<!-- not run: reason -->``. A block with a title
(```` ```yaml title="stick5.yaml" ````) is also written to the file of that name. Where a line of
Python ends in a comment that is a shape or a number, the value has to be that.
"""

import ast
import contextlib
import io
import json
import re
import shutil
import subprocess
import textwrap
import tokenize
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^\n]*?) -->\n\s*)?"
    r"^(?P<indent> *)```(?P<language>\w*)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL)
_SHORTER = {
    "train": "--optim.epochs 1 --optim.repeat 1 --optim.min_steps 0 --optim.warmup_epochs 0 "
             "--network.base_channels 4 --clip.frames 16 --test_clips 1 --workers 0 "
             "--precision fp32 --device cpu",
    "robustness": "--corruptions joint_jitter,speed --device cpu",
    "recognize": "--device cpu", "evaluate": "--device cpu",
}
_SHORTER["cross-domain"] = _SHORTER["train"] + " --seeds 1 --optim.batch_size 8"
"""What a command gets beside its words here, so that a page takes seconds, not hours."""
_FEWER_PIXELS = ["--rgb.frames", "2", "--rgb.size", "64"]
_RUN_ELSEWHERE = (["models", "list"], ["models", "export"])
"""Slow ones, which have tests of their own; here their options are checked only."""
_WORDS = r"""
PATH=/dev/null  # an empty one would mean the current folder
exec 3>&1 >/dev/null
command_not_found_handle() { printf '%s\0' "$@" $'\n' >&3; }  # one write: pipes run at once
function . { :; }
"""


@dataclass(frozen=True)
class Block:
    """One fenced block: its page and line, what it is written in, and why it is not run."""

    page: str
    line: int
    language: str
    title: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def read_blocks(page: str) -> list[Block]:
    """The blocks of a page in order; ``page`` as in `PAGES`."""
    content = (ROOT / page).read_text(encoding="utf-8")
    blocks = []
    for match in _BLOCK.finditer(content):
        title = re.search(r'title="([^"]+)"', match["info"])
        line = content.count("\n", 0, match.start("text")) + 1
        blocks.append(Block(page, line, match["language"], title[1] if title else "",
                            textwrap.dedent(match["text"]), match["reason"]))
    return blocks


def shell_words(text: str) -> list[list[str]]:
    """The commands of a bash block as bash itself expands them; none of them is run."""
    done = subprocess.run(["bash", "-c", _WORDS + text], capture_output=True, check=False)
    return [command.split("\0")[:-1] for command in done.stdout.decode().split("\n\0")[:-1]]


def skelact_words(text: str) -> list[list[str]]:
    """The words after ``skelact`` of every such command of a block, also under torchrun."""
    found = []
    for words in shell_words(text):
        if words[0] == "skelact":
            found.append(words[1:])
        elif words[0] in ("torchrun", "srun", "python") and "skelact" in words:
            found.append(words[words.index("skelact") + 1:])
    return found


def run_page(page: str, prepared: set[Path]) -> None:
    """Run the blocks of a page in order, in the current folder; what fails raises.

    Args:
        page: As in `PAGES`.
        prepared: Files that were put there for the page; a command that makes one of them anew
            finds it gone.
    """
    namespace: dict = {"__name__": "page"}
    for block in read_blocks(page):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        if block.not_run is not None:
            continue
        if block.language == "python":
            run_python(block, namespace)
        elif block.language == "bash":
            for words in shell_words(block.text):
                run_command(words, block, prepared)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)


def run_command(words: list[str], block: Block, prepared: set[Path]) -> None:
    """Run one command in this process, shorter than it stands there."""
    from skelact.cli.main import main

    assert words[0] == "skelact", f"{block}: mark the block `not run`, or leave out {words[0]}"
    if words[1:3] in _RUN_ELSEWHERE:
        return
    words = ["skelact", *("2" if before == "--seeds" else word
                          for before, word in pairwise(words))]
    if "--resume" not in words:  # such a run has its outputs and its settings
        remove_outputs(words, prepared)
        words += _SHORTER.get(words[1], "").split()
        words += _FEWER_PIXELS if "--rgb.encoder" in words else []
    code = main(words[1:])
    assert code == 0, f"{block}: exit code {code} of {' '.join(words)}"


def remove_outputs(words: list[str], prepared: set[Path]) -> None:
    """Take away what was prepared and the command is to make."""
    made = [Path(after) for word, after in pairwise(words)
            if word in ("-o", "--output", "--overlay")]
    if words[1] == "pose":
        made += [Path(word).with_suffix(".npz") for word in words[2:]]
    for path in made:
        if path in prepared:
            prepared.discard(path)
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def run_python(block: Block, namespace: dict) -> None:
    """Execute statement by statement; compare values with the comments behind them."""
    comments = {token.start[0]: token.string.lstrip("# ")
                for token in tokenize.generate_tokens(io.StringIO(block.text).readline)
                if token.type == tokenize.COMMENT}
    for node in ast.parse(block.text).body:
        said = comments.get(node.end_lineno, "")
        ast.increment_lineno(node, block.line - 1)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if isinstance(node, ast.Expr):
                value = eval(compile(ast.Expression(node.value), block.page, "eval"), namespace)
                check_shape_said(value, said, block)
            else:
                exec(compile(ast.Module([node], []), block.page, "exec"), namespace)
        if printed.getvalue() and re.match(r"-?\d", said):
            assert printed.getvalue().strip() == said, f"{block}: {said} is not what is printed"


def check_shape_said(value, said: str, block: Block) -> None:
    """Refuse a value of another shape than the comment says, where it begins with one."""
    shape = re.match(r"\[[\d, ]+\]|\([\d, ]+\)", said)
    if shape:
        got = list(getattr(value, "shape", value))
        assert got == list(ast.literal_eval(shape[0])), f"{block}: {said}, got {got}"
