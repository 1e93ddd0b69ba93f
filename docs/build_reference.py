"""Writes the reference pages while the site is built, so that they cannot fall behind.

A hook of mkdocs (``mkdocs.yml`` names it). The page of commands is what their ``--help`` says; the
pages of the API list every module of a room for mkdocstrings.
"""

import contextlib
import io
import os
from pathlib import Path
from unittest import mock

from mkdocs.structure.files import File, Files

from skelact.cli.main import COMMANDS, main

PACKAGE = Path(__file__).parents[1] / "skelact"
ACTIONS = ("data", "models")
"""Commands that have several actions."""


def on_files(files: Files, config) -> Files:
    """Add the generated pages (called by mkdocs)."""
    pages = {"reference/cli.md": commands_page()} | {
        f"reference/{page_name(room)}.md": room_page(room) for room in rooms()}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def commands_page() -> str:
    """The ``--help`` of every command and action, as Markdown."""
    parts = ["# Commands", "What `--help` says.", *_help_section("skelact", [])]
    for command in COMMANDS:
        parts += _help_section(f"skelact {command}", [command])
        for action in actions(command):
            parts += _help_section(f"skelact {command} {action}", [command, action])
    return "\n\n".join(parts) + "\n"


def help_text(words: list[str]) -> str:
    """What ``skelact WORDS --help`` prints, 90 columns wide."""
    printed = io.StringIO()
    with (mock.patch.dict(os.environ, COLUMNS="90"), contextlib.redirect_stdout(printed),
          contextlib.suppress(SystemExit)):
        main([*words, "--help"])
    return printed.getvalue().strip()


def _help_section(title: str, words: list[str]) -> list[str]:
    return [f"{'#' * (1 + max(len(words), 1))} {title}", f"```text\n{help_text(words)}\n```"]


def actions(command: str) -> list[str]:
    """The actions of a command: the first word of every indented line of its help."""
    if command not in ACTIONS:
        return []
    lines = help_text([command]).splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ")]


def rooms() -> list[str]:
    """The packages of skelact, and ``base`` for the modules beside them."""
    return sorted(folder.parent.name for folder in PACKAGE.glob("*/__init__.py")) + ["base"]


def page_name(room: str) -> str:
    """Name of a room's page; ``cli`` is that of the commands."""
    return "cli_modules" if room == "cli" else room


def room_page(room: str) -> str:
    """Every module of a room, for mkdocstrings."""
    files = PACKAGE.glob("[!_]*.py") if room == "base" else (PACKAGE / room).rglob("*.py")
    modules = sorted(module for file in files if (module := _module(file)))
    title = "skelact" if room == "base" else f"skelact.{room}"
    return "\n\n".join([f"# {title}", *(f"::: {module}" for module in modules)]) + "\n"


def _module(file: Path) -> str:
    """The dotted name of a file; empty for private ones."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return "" if any(part.startswith("_") for part in parts) else ".".join(parts)
