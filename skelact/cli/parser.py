"""The parser of a command: errors in one line, exit code 2."""

import argparse
import re
import sys
from typing import NoReturn

from jsonargparse import ArgumentParser

from skelact.checks import closest
from skelact.cli.messages import complain


class CommandParser(ArgumentParser):
    """An `ArgumentParser` that says in one line what is wrong, and where the help is.

    Options are written out: a shortened one would change its meaning when another that begins
    alike is added.

    Args:
        command: The command, such as ``"train"``.
        description: What it does.
        formatter_class: How the help is laid out.
    """

    def __init__(self, command: str = "", description: str = "",
                 formatter_class: type = argparse.HelpFormatter, **fields):
        prog = fields.pop("prog", f"skelact {command}")
        super().__init__(prog=prog, description=description, formatter_class=formatter_class,
                         allow_abbrev=False, **fields)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print the message and leave with exit code 2."""
        complain(f"{self.prog}: {_plain(message)}{self._hint(message)}; `{self.prog} --help` "
                 "explains")
        sys.exit(2)

    def _get_option_tuples(self, option_string: str) -> list[tuple]:
        """Take ``-overwrite`` for an option with a dash too few, not for ``-o verwrite``."""
        if f"-{option_string.partition('=')[0]}" in self._option_string_actions:
            return []
        return super()._get_option_tuples(option_string)

    def _hint(self, message: str) -> str:
        """Which option was meant by one that there is not."""
        unknown = re.search(r"unrecognized arguments:.*?(?:^|\s)-+([^\s=]+)", message)
        if not unknown:
            return ""
        options = [option for option in self._option_string_actions if option.startswith("--")]
        begins = [option for option in options if option.startswith(f"--{unknown[1]}")]
        return (f" (did you mean {begins[0]!r}?)" if len(begins) == 1
                else closest(f"--{unknown[1]}", begins or options))


def _plain(message: str) -> str:
    """The parser's message in words that need no knowledge of Python's types."""
    words = " ".join(re.sub(r"<class '(\w+)'>", r"\1", message).split())
    words = re.sub(r'^Parser key "([^"]+)": Does not validate .*?Subtypes: \[(.+?)\] Errors: .*'
                   r"Given value: (.*)$", r"--\1: expected \2; got \3", words)
    words = re.sub(r'^Parser key "([^"]+)": Expected (.+?)\. Got value: (.*)$',
                   r"--\1: expected \2; got \3", words)
    words = re.sub(r"expected (an? )?(?:typing\.)?Literal\[(.+?)\];", r"expected one of \2;", words)
    words = re.sub(r"(, )?NoneType(, )?", "", words)
    for kind, name in (("int", "a whole number"), ("float", "a number"), ("bool", "true or false")):
        words = re.sub(rf"expected (?:an? )?{kind}\b", f"expected {name}", words)
    return words
