"""Where a network runs, and in which arithmetic."""

import contextlib
import time

import torch

from skelact.errors import ChoiceError, one_line

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Names of the arithmetic of the products."""


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


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager:
    """The context in which a network computes with this arithmetic."""
    dtype = DTYPES[precision]
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def choose_precision(precision: str, device: torch.device) -> str:
    """``"fp32"``, ``"bf16"`` or ``"fp16"``: as asked; auto: bf16 where it is native.

    On a CPU a quick probe finds out whether bf16 is twice as fast.
    """
    if precision != "auto":
        return precision
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else _bf16_pays()
    return "bf16" if native else "fp32"


def _bf16_pays() -> bool:
    def seconds(dtype: torch.dtype) -> float:
        a = torch.ones(512, 512, dtype=dtype)
        a @ a
        start = time.perf_counter()
        for _ in range(5):
            a @ a
        return time.perf_counter() - start

    return seconds(torch.bfloat16) * 2 < seconds(torch.float32)
