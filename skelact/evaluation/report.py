"""What ``skelact evaluate`` writes: figures, scores, pictures, examples, and a report of them."""

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skelact.datasets.store import Store
from skelact.errors import OutputExistsError
from skelact.evaluation.calibration import reliability
from skelact.evaluation.comparison import Comparison
from skelact.evaluation.evaluate import Evaluation
from skelact.evaluation.figures import confusion
from skelact.evaluation.intervals import class_intervals
from skelact.evaluation.scores import SCORES, write_predictions, write_scores
from skelact.evaluation.tables import (
    class_table,
    conditions_table,
    describe_intervals,
    figure_table,
    find_pairs,
    pair_table,
    show_span,
    worst_table,
)
from skelact.output import atomic_write, check_writable, without_nan, write_json, write_text
from skelact.visualization.comparison import animate_side_by_side
from skelact.visualization.document import (
    Bullets,
    Commands,
    Document,
    Picture,
    Section,
)
from skelact.visualization.evaluation_plots import plot_classes, plot_confusion, plot_reliability

_EXAMPLES = 6
"""How many of the confused pairs are shown as animations."""
_FILES = ("metrics.json", "predictions.csv", SCORES, "confusion.png", "classes.png",
          "reliability.png", "report.md", "report.html")


def check_output(folder: str | Path, overwrite: bool = False) -> Path:
    """Refuse a folder that holds results, before any work is spent.

    Raises:
        OutputExistsError: It holds a training run, or an evaluation and ``overwrite`` is false.
        SkelactError: Nothing can be written there.
    """
    folder = Path(folder)
    if any((folder / name).exists() for name in ("model.pt", "last.pt")):
        raise OutputExistsError(f"{folder} holds a training run, whose report would be replaced; "
                                f"choose another -o, such as {folder / 'evaluation'}")
    for name in _FILES:
        check_writable(folder / name, overwrite)
    return folder


def write_report(
    evaluation: Evaluation, store: Store, folder: str | Path, overwrite: bool = False,
    comparison: Comparison | None = None, progress: bool = False,
) -> None:
    """Write every file; ``metrics.json`` is the last, so that where it is, all are.

    Args:
        evaluation: What came out.
        store: The data set, for the examples.
        folder: Where to.
        overwrite: Replace an earlier evaluation.
        comparison: With another model.
        progress: Show a progress bar on a terminal.

    Raises:
        OutputExistsError: See `check_output`.
    """
    folder = check_output(folder, overwrite)
    (folder / "metrics.json").unlink(missing_ok=True)
    write_scores(evaluation.scores, folder / SCORES, overwrite)
    write_predictions(evaluation.scores, folder / "predictions.csv", overwrite)
    _draw(evaluation, folder, overwrite)
    examples = _animate_pairs(evaluation, store, folder, progress)
    document = describe_evaluation(evaluation, examples, comparison)
    write_text(folder / "report.md", document.to_markdown(), overwrite)
    write_text(folder / "report.html", document.to_html(folder), overwrite)
    write_json(folder / "metrics.json", describe_metrics(evaluation, comparison), overwrite)


def describe_metrics(evaluation: Evaluation, comparison: Comparison | None = None) -> dict:
    """What ``metrics.json`` holds; null for what is not a number."""
    subjects = evaluation.subjects
    drawn = "clips" if subjects is None else f"{len(np.unique(subjects))} subjects"
    content = {
        **{name: asdict(figure) for name, figure in evaluation.figures().items()},
        "num_clips": len(evaluation.scores),
        "num_classes": len(evaluation.scores.classes),
        "ece": evaluation.calibration_error(),
        "intervals": f"95 % bootstrap over {drawn}",
        **({"rejection": shares} if (shares := evaluation.rejection()) else {}),
        **({"against": asdict(comparison)} if comparison else {}),
        "conditions": dict(evaluation.conditions),
        "notes": list(evaluation.remarks),
    }
    return without_nan(content)


def describe_evaluation(
    evaluation: Evaluation, examples: list[Picture], comparison: Comparison | None = None
) -> Document:
    """The report; its pictures are those that `write_report` draws."""
    result, conditions = evaluation.scores, evaluation.conditions
    top1, tested = evaluation.figures()["top1"], len(np.unique(result.labels))
    lead = (f"Top-1 accuracy {top1.value:.3f} (95 % interval "
            f"{show_span(top1, 3)}) on {len(result)} clips of {tested} classes.")
    return Document(
        f"{conditions['model']} on {conditions['data']}, {conditions['split']}", lead,
        [
            Section("What to know", [Bullets(evaluation.remarks)] if evaluation.remarks else []),
            Section("Figures", [
                figure_table(evaluation.figures(), len(result.classes)),
                f"Shares are in 0..1. {describe_intervals(evaluation.subjects)}",
                *_choice(evaluation, tested)]),
            Section("Against another model", [str(comparison)] if comparison else []),
            Section("No known action", _rejection(evaluation)),
            *_errors(evaluation, examples),
            Section("Calibration", [
                Picture("reliability.png", "How often a stated probability comes true"),
                f"Expected calibration error {evaluation.calibration_error():.4f} (15 bins of "
                "the named class's probability): the mean gap between what is stated and what "
                "comes true."]),
            Section("Conditions", [conditions_table(conditions)]),
            Section("Files", [
                "`metrics.json`: the figures; `predictions.csv` and `test_scores.npz`: every clip; "
                "`skelact evaluate ... --against` one of these folders compares."]),
            Section("What to type next", [Commands(_commands(evaluation))]),
        ])


def _errors(evaluation: Evaluation, examples: list[Picture]) -> list[Section]:
    result, large = evaluation.scores, len(_shown_classes(evaluation)) > 32
    return [
        Section("What is taken for what", [
            Picture("confusion.png", "Confusion: counts; colours are shares of the true "
                    "class, as square roots", large), pair_table(result)]),
        Section("Examples of confusion", [
            "Left a clip that was mistaken, with the highest probability of its pair; right "
            "one of the class that it was taken for, rightly recognized.", *examples]
            if examples else []),
        Section("Every class", [
            Picture("classes.png", "Share recognized of every class, the worst first; "
                    "95 % intervals (Wilson), as if clips were independent"),
            *class_table(result)]),
        Section("Wrong and sure of it", [worst_table(result)]),
    ]


def _choice(evaluation: Evaluation, tested: int) -> list[str]:
    """What could be answered, where that is more than what was asked."""
    known = len(evaluation.scores.classes)
    return [] if tested == known else [
        f"The model may answer any of its {known} classes; clips of {tested} of them were tested. "
        "Means of classes are over those; a clip that is taken for another class counts as not "
        "recognized."]


def _rejection(evaluation: Evaluation) -> list[str]:
    shares, text = evaluation.rejection(), []
    if "accepted" in shares:
        text.append(f"The model names an action from a probability of {evaluation.threshold:.3f} "
                    f"on: {100 * shares['accepted']:.1f} % of the clips get a name. The figures "
                    "above count the likeliest action of every clip, named or not.")
    if "auroc" in shares:
        named = (f" {100 * shares['accepted_unknown']:.1f} % of those get a name."
                 if "accepted_unknown" in shares else "")
        text.append(f"Known and unknown actions ({len(evaluation.unknown)} clips): AUROC "
                    f"{shares['auroc']:.4f}.{named} Unknown is what the model has no class of that "
                    "name for: where it has one of another name, it is blamed for being right.")
    return text


def _commands(evaluation: Evaluation) -> list[str]:
    model = str(evaluation.conditions["model"]).split(", ")[0]
    chosen = f" --model {model}" if model.endswith(".pt") else ""
    return [f"skelact recognize VIDEO{chosen}    # who does what, when",
            f"skelact robustness {model if chosen else ''} --data STORE -o DIR    # what it bears"]


def _shown_classes(evaluation: Evaluation) -> np.ndarray:
    """Classes that occur, or for which a clip was taken."""
    counts = confusion(evaluation.scores)
    return np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))


def _draw(evaluation: Evaluation, folder: Path, overwrite: bool) -> None:
    result, counts = evaluation.scores, confusion(evaluation.scores)
    shown = _shown_classes(evaluation)
    names, part = [result.classes[k] for k in shown], counts[np.ix_(shown, shown)]
    support = part.sum(axis=1)
    shares, low, high = np.array([[limits.value, limits.low, limits.high]
                                  for limits in class_intervals(part)]).T
    bins = reliability(result.scores, result.labels)
    for name, (figure, _) in (
        ("confusion.png", plot_confusion(part, names)),
        ("classes.png", plot_classes(shares, low, high, names, support)),
        ("reliability.png", plot_reliability(bins.confidence, bins.accuracy, bins.count,
                                             bins.edges)),
    ):
        with atomic_write(folder / name, overwrite) as temporary:
            figure.savefig(temporary, dpi=110)


def _animate_pairs(
    evaluation: Evaluation, store: Store, folder: Path, progress: bool
) -> list[Picture]:
    """A GIF for each of the most confused pairs, in ``pairs/``; earlier ones are removed."""
    for path in (folder / "pairs").glob("*.gif"):
        path.unlink()
    result, names = evaluation.scores, evaluation.scores.classes
    pictures = []
    for number, (true, found) in enumerate(tqdm(
            find_pairs(result)[:_EXAMPLES], "examples", leave=False, unit="pair",
            disable=None if progress else True), 1):
        wrong = _surest(result, result.labels == true, found)
        right = _surest(result, result.labels == found, found)
        clips = [wrong] if right is None else [wrong, right]
        titles = [f"{names[true]}\ntaken for {names[found]}", f"{names[found]}\nrecognized"]
        file = f"pairs/{number}_{_word(names[true])}_as_{_word(names[found])}.gif"
        animate_side_by_side([store.recording(int(evaluation.rows[i])) for i in clips],
                             titles[: len(clips)], folder / file)
        beside = "" if right is None else f"; beside it {result.clip_ids[right]}, {names[found]}"
        caption = (f"{result.clip_ids[wrong]}: {names[true]}, taken for {names[found]} "
                   f"({result.scores[wrong, found]:.2f}){beside}")
        pictures.append(Picture(file, caption))
    return pictures


def _surest(result, among: np.ndarray, found: int) -> int | None:
    """The clip out of some that got a class with the highest probability."""
    rows = np.flatnonzero(among & (result.predicted == found))
    return int(rows[result.scores[rows, found].argmax()]) if len(rows) else None


def _word(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:30] or "class"
