"""The ``skelact`` command: a table of subcommands, each imported only when it is called."""

import sys
from importlib import import_module

from skelact.version import __version__

COMMANDS = {
    "pose": "follow people through videos; write their joints as pose files",
    "recognize": "name the actions of every person in a video or pose file",
    "show": "draw a pose file or a data set: PNG, GIF, MP4 or a page",
    "data": "make, describe, check, correct and convert data sets",
    "train": "train a recognizer on a labelled data set",
    "evaluate": "say what a model is worth on a data set, and where it errs",
    "cross-domain": "train on some data sets, test on others",
    "robustness": "measure what a model loses when its joints get worse",
    "models": "list, show, convert and export models",
    "demo": "run everything on data that ships with skelact",
}
"""Subcommand -> what it does; each is ``run(arguments) -> int`` in ``skelact/cli/<name>.py``."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words of the command line; by default those of the process.

    Returns:
        The exit code: 0 done, 1 some inputs failed, 2 wrong usage or unusable input, 130 Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"skelact {__version__}")
        return 0
    if arguments[0] not in COMMANDS:
        listed = ", ".join(COMMANDS)
        print(f"skelact: expected a command out of {listed}; got {arguments[0]!r}\n"
              f"`skelact --help` says what each does", file=sys.stderr)
        return 2
    return _run(arguments[0], arguments[1:])


def _run(command: str, arguments: list[str]) -> int:
    from skelact.cli.messages import complain
    from skelact.errors import SkelactError

    try:
        return import_module(f"skelact.cli.{command.replace('-', '_')}").run(arguments)
    except SkelactError as error:
        complain(f"skelact {command}: {error}")
        return 2
    except KeyboardInterrupt as error:
        complain(f"\nskelact {command}: {str(error) or 'stopped'}")
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        sys.stdout = None  # nothing more to flush at exit
        return 0
    except OSError as error:  # no permission, no space left, ...
        complain(f"skelact {command}: {error}")
        return 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join([
        "usage: skelact COMMAND ... | --version",
        "",
        "From video to who does what, when.",
        "",
        *lines,
        "",
        "`skelact COMMAND --help` explains a command; `skelact demo` is a good start.",
    ])
