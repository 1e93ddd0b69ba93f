"""Commands that have several actions: ``skelact data prepare``, ``skelact models export``, ..."""

from collections.abc import Callable, Mapping

from skelact.errors import SkelactError


def run_action(
    command: str, actions: Mapping[str, tuple[str, Callable[[list[str]], int]]],
    arguments: list[str],
) -> int:
    """Run the action that the first word names, or say which there are.

    Args:
        command: The command, such as ``"data"``.
        actions: Name -> what it does, and the function that gets the remaining words.
        arguments: The words after the command.

    Returns:
        The exit code.

    Raises:
        SkelactError: There is no such action.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = [f"  {name:<10} {what}" for name, (what, _) in actions.items()]
        print("\n".join([f"usage: skelact {command} ACTION ...", "", *lines, "",
                         f"`skelact {command} ACTION --help` explains an action."]))
        return 0
    if arguments[0] not in actions:
        raise SkelactError(f"expected one of {', '.join(actions)}; got {arguments[0]!r}")
    return actions[arguments[0]][1](arguments[1:])
