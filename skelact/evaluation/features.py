"""What a network makes of clips before its head: one vector a clip."""

import numpy as np
import torch

from skelact.datasets.arrays import ClipArrays
from skelact.errors import SkelactError
from skelact.evaluation.scoring import fit_clips
from skelact.evaluation.views import Views, view_loader
from skelact.models.checkpoint import ActionModel


@torch.inference_mode()
def extract_features(
    model: ActionModel, arrays: ClipArrays, rows: np.ndarray | None = None, workers: int = 0
) -> np.ndarray:
    """The pooled features of clips, each seen whole and once.

    Args:
        model: The model; where it is in (CPU, CUDA) it is run.
        arrays: The clips; brought to the model's skeleton and form.
        rows: ``[L]`` those to look at; by default all.
        workers: Threads that prepare batches ahead.

    Returns:
        ``[L, D]`` float64; what the head scores.

    Raises:
        SkelactError: The clips cannot be brought into the form that the model takes, or features
            are not finite.
        LayoutError: Their skeleton cannot be converted.
    """
    arrays, clip = fit_clips(model, arrays)
    rows = np.arange(len(arrays)) if rows is None else np.asarray(rows, np.int64)
    network = model.network.eval()
    device = next(network.parameters()).device
    parts = [torch.empty(0, network.head.in_features)]
    if len(rows):
        parts += [network.embed(batch.clips.to(device)).float().cpu()
                  for batch in view_loader(clip, arrays, rows, Views(), workers=workers)]
    features = torch.cat(parts).double().numpy()
    if not np.isfinite(features).all():
        raise SkelactError(f"the features of {(~np.isfinite(features)).any(1).sum()} of "
                           f"{len(rows)} clips are not finite: the joints hold extreme values, or "
                           "the weights are broken")
    return features
