"""What a command says when it cannot go on."""

import os
import sys


def complain(message: str) -> None:
    """Print on standard error; of several processes that torchrun started, one of them does."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        from skelact.training.peers import is_first_to_say

        if not is_first_to_say(message):
            return
    print(message, file=sys.stderr, flush=True)
