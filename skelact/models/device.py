"""Where a network runs."""

import torch

from skelact.errors import ChoiceError
from skelact.models.torch_file import one_line


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name, if this machine has it.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1``, ...; ``auto`` for CUDA where there is one, else the
            CPU.

    Raises:
        ChoiceError: There is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)  # the one question that every kind of device answers
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ChoiceError(f"expected a device that this machine has, such as cpu; got {name!r} "
                          f"({one_line(error)})") from error
    if device.type == "meta":
        raise ChoiceError("expected a device that computes, such as cpu or cuda; got 'meta'")
    return device
