"""Why a network scores a class as it does: which joints, in which frames, decide."""

import torch
from torch import Tensor, nn

from skelact.checks import check_choice
from skelact.errors import ChoiceError, ShapeError, SkelactError
from skelact.models.classifier import SkeletonClassifier, find_present
from skelact.models.inference import InferenceClassifier

_START = 1e-6
"""Where the path of `integrated_gradients` starts: so near the baseline that the scores are the
baseline's, yet whoever is in the clip still counts as present."""


@torch.no_grad()
def class_activation(
    network: SkeletonClassifier, clips: Tensor, class_index: int | Tensor | None = None
) -> Tensor:
    """What the features of every joint and frame add to the score of a class.

    The score is a linear map of the mean over joints, frames and persons, so it is a sum with one
    term each: the attribution. One pass through the network; but what stands at a joint and frame
    has seen its whole neighbourhood, over many frames, so the picture is coarse.

    Args:
        network: A classifier in eval mode whose features keep the joints apart.
        clips: ``[B, M, N, C, T]``, 0 where a joint or person is missing.
        class_index: The score to explain, one for all clips or ``[B]``; by default each clip's
            highest.

    Returns:
        ``[B, M, N, T]`` in units of the score, 0 for who is absent and skipped. Features of fewer
        frames are spread over the T; the sum over persons, joints and frames is the score less
        the head's bias.

    Raises:
        SkelactError: The network's features do not keep the joints apart, or it is in training
            mode.
        ShapeError, LayoutError: The clips are not what the network takes.
        ChoiceError: The network has no such class.

    Source: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
    """
    _check_eval(network)
    features = network.features(clips).to(network.head.weight.dtype)
    joints = network.layout.num_joints
    if features.shape[2] != joints:
        raise SkelactError(f"expected a network whose features keep the {joints} joints apart, got "
                           f"{features.shape[2]} of them; integrated_gradients explains any "
                           "network")
    classes = _choose_classes(network(clips), class_index)
    terms = torch.einsum("bmndt,bd->bmnt", features, network.head.weight[classes])
    people = network.find_counted(clips).sum(dim=1).clamp_min(1)
    shares = terms / (people.view(-1, 1, 1, 1) * joints * features.shape[4])
    return shares @ _spread(features.shape[4], clips.shape[4]).to(shares)


def integrated_gradients(
    network: SkeletonClassifier,
    clips: Tensor,
    class_index: int | Tensor | None = None,
    steps: int = 32,
    baseline: Tensor | None = None,
    tolerance: float = 0.02,
) -> Tensor:
    """How much every joint moves the score of a class, in every frame.

    ``(x - x0) * mean of d score / d x`` along the straight path from a baseline x0 to the clip x,
    by the midpoints of ``steps`` equal parts, summed over channels.

    Args:
        network: A classifier in eval mode.
        clips: ``[B, M, N, C, T]``, 0 where a joint or person is missing.
        class_index: The score to explain, one for all clips or ``[B]``; by default each clip's
            highest.
        steps: Forward and backward passes.
        baseline: What the clips are compared with, anything that expands to their shape; by
            default 0, all joints missing. ``clips.mean(dim=4, keepdim=True)``, everybody holding
            still, asks which motion matters. Who is absent from a clip is absent from its
            baseline.
        tolerance: Largest error of the sum of a clip, as a share of the sum of magnitudes.

    Returns:
        ``[B, M, N, T]`` in units of the score. The sum over persons, joints and frames is the
        score less the baseline's, within ``tolerance``; a joint that is as in the baseline has 0.

    Raises:
        SkelactError: The sum is not what it should be, so the path needs more ``steps``; or the
            network is in training mode, or the clips are not finite.
        ShapeError, LayoutError: The clips are not what the network takes, or the baseline does
            not expand to them.
        ChoiceError: The network has no such class, or ``steps`` is not positive.

    Source: Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017.
    """
    _check_eval(network)
    if steps < 1:
        raise ChoiceError(f"expected steps of at least 1, got {steps}")
    # cuDNN's recurrent layers have gradients in training mode only
    recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    cudnn = torch.backends.cudnn
    with (torch.inference_mode(False), torch.enable_grad(),
          cudnn.flags(enabled=cudnn.enabled and not recurrent)):
        clips = clips.detach().clone()
        start = _expand_baseline(baseline, clips)
        scores = network(clips).detach()
        classes = _choose_classes(scores, class_index)
        way = clips - start
        gradient = torch.zeros_like(clips)
        for step in range(steps):
            point = (start + (step + 0.5) / steps * way).requires_grad_()
            gradient += torch.autograd.grad(_pick(network(point), classes).sum(), point)[0]
        change = _pick(scores - network(start + _START * way).detach(), classes)
    attribution = (way * gradient / steps).sum(dim=3)
    _check_complete(attribution, change, steps, tolerance)
    return attribution


def _check_eval(network: SkeletonClassifier) -> None:
    if isinstance(network, InferenceClassifier):
        raise SkelactError("expected a network as it was trained, got one that for_inference made; "
                           "explain the one that it was made from")
    if network.training:
        raise SkelactError("expected a network in eval mode, got one in training mode, whose "
                           "scores depend on the other clips; call network.eval() first")


def _choose_classes(scores: Tensor, class_index: int | Tensor | None) -> Tensor:
    """``[B]`` the class to explain of every clip."""
    if class_index is None:
        return scores.argmax(dim=1)
    classes = torch.as_tensor(class_index, device=scores.device)
    if classes.shape not in ((), scores.shape[:1]) or classes.dtype.is_floating_point:
        raise ShapeError(f"expected class_index as one number or [B={len(scores)}] of them, got "
                         f"{list(classes.shape)} of {classes.dtype}")
    for number in classes.flatten().tolist():
        check_choice(number, range(scores.shape[1]), "class_index")
    return classes.long().expand(len(scores))


def _pick(scores: Tensor, classes: Tensor) -> Tensor:
    """``[B]`` every clip's score of its class."""
    return scores.gather(1, classes[:, None])[:, 0]


def _spread(features: int, frames: int) -> Tensor:
    """``[T', T]`` how what stands at a frame of the features is spread; rows sum to 1."""
    points = torch.eye(features)[None]
    shape = nn.functional.interpolate(points, size=frames, mode="linear", align_corners=False)[0]
    return shape / shape.sum(dim=1, keepdim=True)


def _expand_baseline(baseline: Tensor | None, clips: Tensor) -> Tensor:
    """The baseline in the shape of the clips, 0 for who is absent."""
    if not torch.isfinite(clips).all():
        raise SkelactError("expected clips without NaN and infinity (a missing joint is 0), got "
                           "some; fill_missing replaces them")
    if baseline is None:
        return torch.zeros_like(clips)
    try:
        start = torch.as_tensor(baseline).to(clips).expand_as(clips)
    except RuntimeError as error:
        raise ShapeError(f"expected a baseline that expands to the clips {list(clips.shape)}, got "
                         f"{list(baseline.shape)}") from error
    return start * find_present(clips)[..., None, None, None]


def _check_complete(attribution: Tensor, change: Tensor, steps: int, tolerance: float) -> None:
    """Refuse attributions that do not add up to the change of the score."""
    totals = attribution.sum(dim=(1, 2, 3))
    error = (totals - change).abs()
    allowed = tolerance * attribution.abs().sum(dim=(1, 2, 3)) + 1e-5
    if not (error <= allowed).all():
        worst = int((error - allowed).argmax())
        raise SkelactError(f"the attributions of clip {worst} sum to {totals[worst]:.3g}, but the "
                           f"score changes by {change[worst]:.3g}: {steps} steps are too few; "
                           "pass more")
