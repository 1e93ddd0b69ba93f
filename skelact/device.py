"""Where a network runs."""

import torch

from skelact.errors import ChoiceError, one_line


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
    except RuntimeError:
        raise ChoiceError(f"expected a device such as cpu, cuda or cuda:1; got {name!r}") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ChoiceError(f"{name} was asked for, but torch sees {torch.cuda.device_count()} CUDA "
                          "devices; use cpu, or install a CUDA build of torch")
    try:
        torch.empty(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ChoiceError(f"expected a device that this machine has, such as cpu; got {name!r} "
                          f"({one_line(error)})") from error
    return device
