"""Networks without frames of zeros around their clips: what streaming equals."""

import copy

from torch import Tensor, nn

from skelact.errors import ChoiceError, ShapeError
from skelact.models.classifier import SkeletonClassifier
from skelact.nn.unpadded import extent, unpad


def unpadded(network: SkeletonClassifier, window: int | None = None) -> SkeletonClassifier:
    """The same network without frames of zeros before the first frame and after the last.

    Convolutions over frames answer only where their kernels are full, so there are fewer answers;
    residuals are cropped to stay aligned. The topologies of CTR-GCN, which a mean over the whole
    clip refines, are refined by the mean over the frames up to each one.

    Args:
        network: ST-GCN, ST-GCN++ or CTR-GCN.
        window: For CTR-GCN: the mean is over as many last frames of every layer as a clip of so
            many frames has there; None for all so far.

    Returns:
        A copy, in the mode of the network, whose weights have the same names, and which may be
        trained. It refuses clips of fewer frames than `receptive_field` by a ShapeError.

    Raises:
        ChoiceError: A layer has no such form, or ``window`` is shorter than the receptive field.
    """
    twin = copy.deepcopy(network)
    for layer, last in zip(list_layers(twin), frames_of_layers(network, window), strict=True):
        unpad(layer, last)
    twin.layers.register_forward_pre_hook(_AtLeast(receptive_field(network)))
    return twin


def receptive_field(network: SkeletonClassifier) -> int:
    """Frames that one answer of the last layer depends on.

    That is by convolution; CTR-GCN depends on all frames too, by means over them.

    Raises:
        ChoiceError: A layer is of another kind.
    """
    return find_extents(network)[-1][0]


def find_extents(network: SkeletonClassifier) -> list[tuple[int, int]]:
    """On how many frames one of its frames depends, and how many frames come to one of them.

    Returns:
        What goes into every layer, ``(1, 1)`` into the first; then what the last one answers.

    Raises:
        ChoiceError: A layer is of another kind.
    """
    extents = [(1, 1)]
    for layer in list_layers(network):
        (frames, step), (span, stride) = extents[-1], extent(layer)
        extents.append((frames + (span - 1) * step, step * stride))
    return extents


def frames_of_layers(network: SkeletonClassifier, window: int | None) -> list[int | None]:
    """How many frames go into every layer for a clip of ``window`` frames; None where it is None.

    Raises:
        ChoiceError: A layer is of another kind, or ``window`` is shorter than the receptive field.
    """
    *before, (frames, _) = find_extents(network)
    if window is not None and window < frames:
        raise ChoiceError(f"expected a window of at least {frames} frames, the receptive field of "
                          f"the network, got {window}")
    return [None if window is None else (window - field) // step + 1 for field, step in before]


def list_layers(network: SkeletonClassifier) -> list[nn.Module]:
    """The layers of a network.

    Raises:
        ChoiceError: They are not one after another, or not as they were trained.
    """
    if type(network) is not SkeletonClassifier:
        raise ChoiceError(f"expected a network as it was trained, got {type(network).__name__}; "
                          f"take the network that it was made from")
    if not isinstance(network.layers, nn.Sequential):
        raise ChoiceError(f"expected a network of layers one after another, got "
                          f"{type(network.layers).__name__}; score windows of frames with the "
                          f"network itself")
    return list(network.layers)


class _AtLeast:
    """A hook that refuses clips of too few frames."""

    def __init__(self, frames: int):
        self.frames = frames

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> None:
        if inputs[0].shape[-1] < self.frames:
            raise ShapeError(f"expected clips of at least {self.frames} frames, the receptive "
                             f"field of a network without padding, got {inputs[0].shape[-1]}")
