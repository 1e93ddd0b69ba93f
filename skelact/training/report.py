"""The report of a run: what was trained on what, how it was judged, what it gets wrong."""

from collections.abc import Sequence
from pathlib import Path

from skelact.config import TrainConfig
from skelact.evaluation.figures import measure
from skelact.evaluation.guessing import describe_choice, describe_doubt
from skelact.evaluation.tables import class_table, describe_intervals, figure_table, pair_table
from skelact.training.result import RunResult
from skelact.visualization.document import (
    Bullets,
    Commands,
    Document,
    Part,
    Picture,
    Section,
    Table,
)


def describe_run(
    folder: str | Path, config: TrainConfig, history: Sequence[dict], result: RunResult,
    starts: Sequence[dict], again: Sequence[dict] = (), doubts: Sequence[str] = (),
) -> str:
    """The report as Markdown.

    Args:
        folder: The run folder, as the user calls it.
        config: The settings.
        history: A row an epoch.
        result: The test.
        starts: The environment of every start of the run.
        again: A row an epoch of the second run, on all of train.
        doubts: What `find_doubts` gives.
    """
    name = result.data.get("name") or config.dataset or "data set"
    curves = [Picture("curves.png", "Learning curves")]
    if config.retrain:
        curves.append(Picture("retrain/curves.png", "Learning curves of the second run"))
    document = Document(f"{name}: {config.network.name}, {config.clip.stream}", "", [
        Section("What to know", [Bullets(doubts)] if doubts else []),
        Section("Settings", [Table(("", ""), _settings(config, result))]),
        Section("Result on the test split", _result(config, history, result)),
        Section("Course", [
            curves[0], "Training accuracy is that of augmented clips while the weights still "
            "changed, so it may lie below that of validation.", *curves[1:]]),
        Section("What is taken for what", [pair_table(result)]),
        Section("Every class", class_table(result)),
        Section("Time and machine", [Table(("", ""), _time([*history, *again], starts))]),
        Section("What to type next", [Commands(_commands(config, Path(folder)))]),
    ])
    return document.to_markdown()


def find_doubts(history: Sequence[dict], result: RunResult) -> list[str]:
    """Sentences on a run whose test, or choice of the epoch, a guess would do as well.

    Args:
        history: A row an epoch.
        result: The test.
    """
    choice, labels = "", result.val_labels
    accuracy = history[result.chosen_epoch - 1].get("val_accuracy")
    if accuracy is not None and labels is not None:
        choice = describe_choice(round(accuracy * len(labels)), labels, len(history))
    return [*filter(None, (describe_doubt(result), choice))]


def _settings(config: TrainConfig, result: RunResult) -> list[tuple[str, str]]:
    clip, optim = config.clip, config.optim
    counts = [f"{result.data[key]} {what}" for key, what in
              (("train_clips", "train"), ("val_clips", "validation"),
               ("background_clips", "of other actions")) if result.data.get(key)]
    rate = f"{optim.lr:g}" + (f" for {optim.lr_batch} clips a step" if optim.lr_batch else "")
    return [
        ("data", f"{result.data.get('name') or config.dataset or Path(config.data or '').name}, "
                 f"protocol {config.protocol or 'of the store'}"),
        ("clips", ", ".join([*counts, f"{len(result)} test"])),
        ("classes", str(len(result.classes))),
        ("input", f"{clip.stream}, layout {clip.layout}, {clip.frames} frames, "
                  f"{clip.people} person slot{'s' * (clip.people > 1)}, "
                  f"{clip.normalise} normalisation"),
        ("network", f"{config.network.name}, width "
                    f"{config.network.base_channels or 'as published'}, dropout "
                    f"{config.network.dropout:g}"),
        *_describe_pixels(config),
        ("start", f"weights of {Path(config.init).name}" if config.init else "random weights"),
        ("optimisation", f"{optim.optimizer}, rate {rate}, {optim.schedule}, batch "
                         f"{optim.batch_size}, weight decay {optim.weight_decay:g}, "
                         f"{optim.epochs} epochs"),
        ("seed, precision", f"{config.seed}, {config.precision}"),
        ("all settings", "`config.yaml`"),
    ]


def _describe_pixels(config: TrainConfig) -> list[tuple[str, str]]:
    """A row on what looks at pixels, if anything does."""
    rgb = config.rgb
    if not rgb.encoder:
        return []
    weights = rgb.weights if rgb.weights in ("official", "random") else Path(rgb.weights).name
    where = {"frame": "the image", "person": "the person", "hands": "each hand"}[rgb.region]
    return [("pixels", f"{' '.join(filter(None, (rgb.encoder, rgb.backbone)))} ({weights} "
                       f"weights), {rgb.length} frames of {where}, {rgb.size} x {rgb.size}, "
                       f"{rgb.fusion} fusion")]


def _result(
    config: TrainConfig, history: Sequence[dict], result: RunResult
) -> list[Part]:
    figures = measure(result, result.subjects, ("top1", "top5", "mean_class_accuracy"))
    return [
        Table(("figure", "value"),
              [(key, _figure(value)) for key, value in result.metrics.items()]),
        "Shares are in 0..1. " + _honesty(config, history, result),
        figure_table(figures, len(result.classes)),
        describe_intervals(result.subjects),
    ]


def _honesty(config: TrainConfig, history: Sequence[dict], result: RunResult) -> str:
    """How the epoch was chosen, in sentences."""
    count, planned = len(history), config.optim.epochs
    if any(row.get("val_accuracy") is not None for row in history):
        text = (f"The weights are those of epoch {result.chosen_epoch} of {count}, which did best "
                "on validation clips that were held out of training.")
    else:
        text = f"The weights are those of the last epoch ({result.chosen_epoch}); nothing was " \
               "held out to choose one."
    if count < planned:
        text += f" Training stopped early: {planned} epochs were planned, {count} were run."
    if config.retrain:
        text += (f" A network was then trained anew on all of train for {result.chosen_epoch} "
                 "epochs; it is the one that was tested.")
    return text + (" The test split chose nothing, and was scored once, at the end. Scores of "
                   "every clip: `test_scores.npz`, `predictions.csv`.")


def _time(history: Sequence[dict], starts: Sequence[dict]) -> list[tuple[str, str]]:
    seconds = sum(row.get("seconds") or 0 for row in history)
    waited = sum((row.get("seconds") or 0) * (row.get("data_share") or 0) for row in history)
    share = waited / seconds if seconds else 0.0
    rows = [("training", f"{_duration(seconds)}, {seconds / len(history):.1f} s an epoch "
                         "(validation and test not counted)"),
            ("of it waiting for data", f"{100 * share:.1f} %")]
    if not starts:
        return rows
    last = starts[-1]
    machine = ", ".join(last["gpus"]) or f"{last['cpu']}, {last['threads']} threads"
    return [*rows,
            ("machine", machine), ("processes", str(last["processes"])),
            ("started", f"{starts[0]['started']}"
                        + (f", resumed {len(starts) - 1} times" if len(starts) > 1 else "")),
            ("command", f"`{last['command']}`"),
            ("versions", f"skelact {last['skelact']}, torch {last['torch']}, "
                         f"Python {last['python']}"),
            ("commit", last["commit"] or "none; an installed package")]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _commands(config: TrainConfig, folder: Path) -> list[str]:
    source = "POSE_FILE" if config.clip.dims == 3 else "VIDEO"
    return [
        f"skelact recognize {source} --model {folder}/model.pt    # who does what, when",
        f"skelact evaluate {folder}/model.pt --data {config.data or 'STORE'} -o "
        f"{folder}/evaluation    # intervals, pictures, examples",
        f"skelact models export {folder}/model.pt -o model.onnx    # for other programs",
        f"skelact train {folder}/config.yaml -o ANOTHER --seed {config.seed + 1}    # again, "
        "with another seed",
    ]


def _figure(value) -> str:
    return "–" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
