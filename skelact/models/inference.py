"""Trained networks made ready to be run and nothing else, which is faster."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skelact.errors import ChoiceError, SkelactError
from skelact.models.classifier import SkeletonClassifier, find_present
from skelact.models.folding import fold_norms

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def for_inference(
    network: SkeletonClassifier, dtype: torch.dtype | None = None, compile: bool | str = False
) -> "InferenceClassifier":
    """A network that gives the same scores faster and cannot be trained.

    Batch norms are folded into the convolutions before them, and persons who are absent cost
    nothing, also where the network counts their zeros.

    Args:
        network: A trained network; it stays as it is. Keep it: the fast one cannot be saved as a
            checkpoint.
        dtype: Arithmetic of the layers: ``torch.bfloat16`` or ``torch.float16``, with their
            rounding; by default the network's own. Input norm, pooling and head keep the
            network's.
        compile: Let torch.compile the layers, or the mode it shall use (``reduce-overhead`` for
            CUDA graphs): slower to start, then faster.

    Returns:
        A classifier in eval mode, on the network's device, to put in its place (also in an
        `ActionModel`).

    Raises:
        ChoiceError: ``dtype`` is not floating-point.
        SkelactError: The network is one that was made for inference already.
    """
    if dtype not in (None, *_FLOATS):
        raise ChoiceError(f"expected dtype as one of {', '.join(map(str, _FLOATS))}; got {dtype}")
    if not isinstance(network, SkeletonClassifier):
        raise SkelactError(f"expected a SkeletonClassifier, got {type(network).__name__}; of a "
                           "model, take model.for_inference()")
    if isinstance(network, InferenceClassifier):
        raise SkelactError("expected the network as it was trained, got one that for_inference "
                           "made")
    with torch.inference_mode(False):
        return InferenceClassifier(network, dtype or network.head.weight.dtype, compile)


class InferenceClassifier(SkeletonClassifier):
    """What `for_inference` makes of a classifier; the same clips, the same scores.

    Someone who is absent has one feature vector for all clips of a length: it is computed once.

    Args:
        network: A trained network.
        dtype: Arithmetic of the layers.
        compile: Whether or how to compile the layers.
    """

    def __init__(self, network: SkeletonClassifier, dtype: torch.dtype, compile: bool | str):
        layers = copy.deepcopy(network.layers).eval().requires_grad_(False).double()
        fold_norms(layers)
        _convert(layers, dtype, network.head.weight.dtype)
        if compile:
            layers = torch.compile(layers, mode=None if compile is True else compile)
        head = network.head
        super().__init__(network.layout, network.in_channels, layers, head.in_features,
                         head.out_features, network.absent, network.input_norm.slots)
        self.input_norm = copy.deepcopy(network.input_norm)
        self.head = copy.deepcopy(head)
        self.dtype = dtype
        self._absent_features: dict[tuple[int, torch.device], Tensor] = {}
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "InferenceClassifier":
        """Stay in eval mode.

        Raises:
            SkelactError: Training mode is asked for.
        """
        if mode:
            raise SkelactError("a network made for inference cannot be trained; train the one that "
                               "it was made from")
        return super().train(mode)

    def embed(self, clips: Tensor) -> Tensor:
        """``[B, D]`` what the head scores, as the network that it was made from gives it.

        Raises:
            LayoutError: Another number of joints than the layout's.
            ShapeError: Not five axes, or another number of channels.
        """
        counted, present = self.find_counted(clips), find_present(clips)
        people, rows = self._pack(clips, present)
        pooled = self._pool(people)
        if rows is None:
            by_person = pooled.unflatten(0, present.shape) * counted[..., None]
        else:
            by_person = self._fill_absent(clips).index_copy(0, rows, pooled)
            by_person = by_person.unflatten(0, present.shape)
        return by_person.sum(dim=1) / counted.sum(dim=1, keepdim=True).clamp_min(1)

    def _pack(self, clips: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """Persons ``[P, N, C, T]`` for the layers, and their places in ``[B M]``; None for all."""
        people, rows = clips.flatten(0, 1), None
        slot = torch.arange(clips.shape[1], device=clips.device).repeat(clips.shape[0])
        if not (torch.compiler.is_compiling() or present.all()):
            rows = present.flatten().nonzero()[:, 0]
            people, slot = people[rows], slot[rows]
        return self.input_norm(people, slot).to(self.dtype), rows

    def _pool(self, people: Tensor) -> Tensor:
        """``[P, D]`` features, the mean over joints and frames."""
        return self.layers(people).mean(dim=(1, 3), dtype=self.head.weight.dtype)

    def _fill_absent(self, clips: Tensor) -> Tensor:
        """``[B M, D]`` features as if nobody were there."""
        batch, people, joints, channels, frames = clips.shape
        if self.absent == "skip":
            return self.head.weight.new_zeros(batch * people, self.head.in_features)
        key = (frames, clips.device)
        if key not in self._absent_features:
            slots = max(self.input_norm.slots, 1)
            empty = clips.new_zeros(slots, joints, channels, frames)
            slot = torch.arange(slots, device=clips.device)
            self._absent_features[key] = self._pool(self.input_norm(empty, slot).to(self.dtype))
        features = self._absent_features[key]
        return features[:people].expand(people, -1).repeat(batch, 1)


def _convert(layers: nn.Module, dtype: torch.dtype, norm_dtype: torch.dtype) -> None:
    """Give the layers their arithmetic; norms that are left keep finer weights."""
    for module in layers.modules():
        target = norm_dtype if isinstance(module, _BatchNorm) else dtype
        for name, value in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(value.to(target, copy=True), requires_grad=False))
        for name, value in list(module.named_buffers(recurse=False)):
            if value.is_floating_point():
                setattr(module, name, value.to(target, copy=True))
    layers.to(memory_format=torch.channels_last)  # as the convolutions over frames want them
