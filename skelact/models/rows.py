"""The table of ten layers that most of the networks share."""

from collections.abc import Sequence

from skelact.errors import ChoiceError

ROWS = (
    (1, 1),
    (1, 1),
    (1, 1),
    (1, 1),
    (2, 2),
    (2, 1),
    (2, 1),
    (4, 2),
    (4, 1),
    (4, 1),
)
"""One row a layer: width, as a multiple of the base width, and stride. From ST-GCN (Yan et al.,
AAAI 2018)."""


def scale_rows(
    rows: Sequence[tuple[int, int]], in_channels: int, base_channels: int
) -> list[tuple[int, int, int]]:
    """Channels in, channels out and stride of every layer.

    Args:
        rows: As `ROWS`.
        in_channels: C of the clips.
        base_channels: Width of a row with multiple 1.

    Raises:
        ChoiceError: No channels.
    """
    if base_channels < 1 or in_channels < 1:
        raise ChoiceError(f"expected at least one channel, got in_channels={in_channels}, "
                          f"base_channels={base_channels}")
    layers, before = [], in_channels
    for multiple, stride in rows:
        layers.append((before, multiple * base_channels, stride))
        before = multiple * base_channels
    return layers
