"""What came out of several runs, as numbers."""

from dataclasses import dataclass

import numpy as np

from skelact.version import __version__


@dataclass(frozen=True)
class Summary:
    """What came out of a campaign; ``str()`` of it is a table.

    Args:
        name: What was trained on what.
        seeds: The seeds.
        streams: The streams.
        weights: Their weights in the fusion.
        num_clips: Test clips.
        num_classes: Classes.
        accuracies: Stream, or ``fused`` -> for every seed ``top1``, ``top5`` and
            ``mean_class_accuracy``.
        folders: Run folders, as one below the output.
    """

    name: str
    seeds: tuple[int, ...]
    streams: tuple[str, ...]
    weights: tuple[float, ...]
    num_clips: int
    num_classes: int
    accuracies: dict[str, list[dict[str, float]]]
    folders: tuple[str, ...]

    def statistics(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Stream -> figure -> ``mean`` and ``std`` over the seeds.

        The deviation is that of a sample (n - 1); None for a single seed.
        """
        return {stream: {figure: _statistics([row[figure] for row in rows]) for figure in rows[0]}
                for stream, rows in self.accuracies.items()}

    def figures(self) -> list[str]:
        """The names of those that say something: top 5 of five classes are always right."""
        names = self.accuracies[self.streams[0]][0]
        return [name for name in names if name != "top5" or self.num_classes > 5]

    def to_dict(self) -> dict:
        """What ``summary.json`` holds."""
        return {**vars(self), "statistics": self.statistics(), "skelact_version": __version__}

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.num_clips} test clips, {len(self.seeds)} "
                 f"seed{'s' * (len(self.seeds) > 1)}"]
        for stream, figures in self.statistics().items():
            shown = "  ".join(f"{name} {show_statistic(figures[name]):<15}"
                              for name in self.figures())
            lines.append(f"{stream:>13}  {shown}".rstrip())
        return "\n".join(lines)


def show_statistic(value: dict[str, float | None]) -> str:
    """``0.9123 ± 0.0045``, or the mean alone where there is no deviation."""
    spread = "" if value["std"] is None else f" ± {value['std']:.4f}"
    return f"{value['mean']:.4f}{spread}"


def _statistics(values: list[float]) -> dict[str, float | None]:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": spread}
