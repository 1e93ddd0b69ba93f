"""The report of several runs: every stream and the fusion, mean and deviation over the seeds."""

from pathlib import Path

import numpy as np

from skelact.evaluation.fusion import USUAL_WEIGHTS
from skelact.training.campaign_summary import Summary, show_statistic
from skelact.visualization.document import markdown_table

_NAMES = {"top1": "top-1", "top5": "top-5", "mean_class_accuracy": "mean class accuracy"}


def describe_campaign(summary: Summary, output: str | Path) -> str:
    """The report as Markdown.

    Args:
        summary: What came out.
        output: The folder of the campaign, as the user calls it.
    """
    parts = [
        f"# {summary.name}: {_count(summary.seeds, 'seed')}, {_count(summary.streams, 'stream')}",
        f"Test split of {summary.num_clips} clips in {summary.num_classes} classes. "
        + _conditions(summary),
        markdown_table(
            [(stream, *(show_statistic(figures[name]) for name in summary.figures()))
             for stream, figures in summary.statistics().items()],
            ("stream", *(_NAMES[name] for name in summary.figures()))),
        *_by_seed(summary),
        "## Runs",
        "\n".join(f"- [{folder}]({folder}/report.md)" for folder in summary.folders),
        "Settings of all of them: `config.yaml`; these figures as numbers: `summary.json`.",
        "## What to type next",
        f"```\nskelact recognize VIDEO --model {Path(output) / summary.folders[0]}/model.pt\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _conditions(summary: Summary) -> str:
    count = len(summary.seeds)
    text = ("Shares are in 0..1. " if count == 1 else
            f"Shares in 0..1: mean ± sample standard deviation over {count} seeds "
            f"({', '.join(map(str, summary.seeds))}), which differ in weights, order and "
            "augmentation. ")
    if len(summary.streams) > 1:
        weights = ":".join(f"{weight:g}" for weight in summary.weights)
        text += (f"`fused` is the mean of the streams' class probabilities, weighted {weights} "
                 f"({', '.join(summary.streams)}). {_origin_of_weights(summary)} ")
    return text + ("Every run scored the test split once, at its end; how its epoch was chosen "
                   "stands in its own report.")


def _origin_of_weights(summary: Summary) -> str:
    usual = tuple(USUAL_WEIGHTS[stream] for stream in summary.streams)
    if np.allclose(np.divide(summary.weights, usual), summary.weights[0] / usual[0]):
        return "These are the usual weights, not tuned on the test split."
    return ("These weights were asked for (`--fusion`); the figure is honest only if they were "
            "chosen before the test split was looked at.")


def _by_seed(summary: Summary) -> list[str]:
    """The top-1 of every seed, where there are several."""
    if len(summary.seeds) == 1:
        return []
    rows = [(seed, *(f"{rows[place]['top1']:.4f}" for rows in summary.accuracies.values()))
            for place, seed in enumerate(summary.seeds)]
    return ["## Top-1 of every seed", markdown_table(rows, ("seed", *summary.accuracies))]


def _count(values: tuple, what: str) -> str:
    return f"{len(values)} {what}{'s' * (len(values) > 1)}"
