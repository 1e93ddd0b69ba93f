"""What is written of a `RobustnessResult`: a table, a summary, a picture, and a report."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from skelact.evaluation.corruptions import CORRUPTIONS
from skelact.evaluation.intervals import Interval
from skelact.evaluation.robustness import RobustnessResult
from skelact.evaluation.tables import conditions_table, describe_intervals
from skelact.output import check_writable, without_nan, write_json, write_text
from skelact.version import __version__
from skelact.visualization.document import Bullets, Document, Picture, Section, Table
from skelact.visualization.robustness import Curve, draw_robustness

FILES = ("robustness.csv", "robustness.json", "robustness.png", "report.md")
_CONDITIONS = ("model", "model_sha256", "network", "stream", "trained_on", "data", "data_sha256",
               "split", "num_clips", "seeds", "layout", "precision", "device", "versions")
DEFINITION = (
    "Mean corruption accuracy (mCA): the mean over the corruptions of the mean over their "
    "severities of the top-1 accuracy. Relative mCA: divided by the top-1 accuracy on the clips "
    "as they are.")


def check_folder(folder: str | Path, overwrite: bool = False) -> None:
    """Refuse to replace what nobody asked to replace, before any work is spent on it.

    Raises:
        OutputExistsError: One of `FILES` is there and ``overwrite`` is false.
        SkelactError: The folder cannot be written.
    """
    for name in FILES:
        check_writable(Path(folder) / name, overwrite)


def write_robustness(
    result: RobustnessResult, folder: str | Path, conditions: Mapping[str, object],
    notes: Sequence[str] = (), overwrite: bool = False,
) -> dict:
    """Write `FILES`.

    Args:
        result: What was measured.
        folder: Where; made if need be.
        conditions: What the figures depend on, as names and plain values.
        notes: Sentences that a reader of the figures must know.
        overwrite: Replace earlier ones.

    Returns:
        What ``robustness.json`` holds.

    Raises:
        OutputExistsError: A file exists and ``overwrite`` is false.
    """
    folder = Path(folder)
    check_folder(folder, overwrite)
    summary = summarise(result, conditions, notes)
    write_text(folder / "robustness.csv", _table(summary), overwrite)
    draw_robustness(_curves(summary), summary["clean"]["top1"]["value"],
                    folder / "robustness.png", _title(summary), overwrite)
    write_text(folder / "report.md", _document(result, summary).to_markdown(), overwrite)
    write_json(folder / "robustness.json", summary, overwrite)
    return summary


def summarise(
    result: RobustnessResult, conditions: Mapping[str, object], notes: Sequence[str] = ()
) -> dict:
    """All figures with intervals, as names and plain values."""
    clean = result.clean.mean()
    corruptions = {}
    for name, levels in result.curves.items():
        mean = float(result.mean_right(name).mean())
        corruptions[name] = {
            "unit": result.corruptions[name].unit,
            "what": result.corruptions[name].what,
            "top1": mean,
            "relative": mean / clean if clean else None,
            "levels": [{"severity": level.severity, **_figures(result, level.right),
                        "probability_moved": level.moved} for level in levels],
        }
    return without_nan({
        **conditions,
        "num_clips": len(result),
        "seeds": result.seeds,
        "intervals": "95 %, by subject" if result.groups is not None else "95 %, by clip",
        "intervals_note": describe_intervals(result.groups),
        "definition": DEFINITION,
        "clean": _figures(result, result.clean),
        "mean_corruption_accuracy": _plain(result.corruption_accuracy()),
        "relative_corruption_accuracy": _plain(result.relative_accuracy()),
        "mean_over": f"{len(corruptions)} of {len(CORRUPTIONS)} corruptions",
        "corruptions": corruptions,
        "impossible": dict(result.impossible),
        "without_effect": dict(result.idle),
        "notes": [*notes, *result.notes],
        "skelact_version": __version__,
    })


def describe(summary: Mapping) -> str:
    """The figures of a summary as lines for a terminal."""
    clean = summary["clean"]["top1"]
    lines = [f"{summary['num_clips']} clips as they are: top1 {_percent(clean)}"]
    for name, facts in summary["corruptions"].items():
        levels = "  ".join(f"{level['severity']:g}: {100 * level['top1']['value']:.1f}"
                           for level in facts["levels"])
        lines.append(f"{name:>18}  {100 * facts['top1']:5.1f}   {levels}   ({facts['unit']})")
    lines += [f"{name:>18}  not measured: {reason}"
              for name, reason in summary["impossible"].items()]
    lines.append(f"mean corruption accuracy {_percent(summary['mean_corruption_accuracy'])}, "
                 f"relative {_percent(summary['relative_corruption_accuracy'])}; mean over "
                 f"{summary['mean_over']}")
    lines += [f"{name} has no effect: {reason}"
              for name, reason in summary["without_effect"].items()]
    return "\n".join([*lines, summary["intervals_note"], *summary["notes"]])


def _figures(result: RobustnessResult, right) -> dict:
    return {"top1": _plain(result.top1(right)),
            "mean_class_accuracy": _plain(result.mean_class_accuracy(right))}


def _plain(interval: Interval) -> dict[str, float | None]:
    """Its three numbers; None, which JSON has, where one is unknown."""
    return without_nan(vars(interval))


def _percent(interval: Mapping[str, float | None]) -> str:
    value, low, high = (interval[name] for name in ("value", "low", "high"))
    if value is None:
        return "unknown"
    known = "interval unknown" if None in (low, high) else f"{100 * low:.1f}, {100 * high:.1f}"
    return f"{100 * value:.1f} % [{known}]"


def _table(summary: Mapping) -> str:
    """One line a corruption and severity, the clips as they are first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = ("top1", "mean_class_accuracy")
    writer.writerow(["corruption", "severity", "unit", *(
        f"{name}{end}" for name in names for end in ("", "_low", "_high"))])

    def write(corruption: str, severity: object, unit: str, figures: Mapping) -> None:
        writer.writerow([corruption, severity, unit, *(
            _number(figures[name][end]) for name in names for end in ("value", "low", "high"))])

    write("none", "", "", summary["clean"])
    for name, facts in summary["corruptions"].items():
        for level in facts["levels"]:
            write(name, f"{level['severity']:g}", facts["unit"], level)
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _curves(summary: Mapping) -> dict[str, Curve]:
    return {name: Curve(facts["unit"], [level["severity"] for level in facts["levels"]], *(
        np.array([level["top1"][end] for level in facts["levels"]], float)
        for end in ("value", "low", "high")))
        for name, facts in summary["corruptions"].items()}


def _title(summary: Mapping) -> str:
    return (f"{summary.get('model', 'model')} on {summary.get('data', 'clips')} "
            f"{summary.get('split', '')}: {summary['num_clips']} clips, relative mCA "
            f"{_percent(summary['relative_corruption_accuracy'])}")


def _document(result: RobustnessResult, summary: Mapping) -> Document:
    rows = [
        [name, facts["what"], facts["unit"],
         ", ".join(f"{level['severity']:g}: {100 * level['top1']['value']:.1f}"
                   for level in facts["levels"]),
         f"{100 * facts['top1']:.1f}",
         "" if facts["relative"] is None else f"{100 * facts['relative']:.1f}"]
        for name, facts in summary["corruptions"].items()]
    clean = summary["clean"]
    figures = [
        ["top-1 accuracy, clips as they are", _percent(clean["top1"])],
        ["mean class accuracy, clips as they are", _percent(clean["mean_class_accuracy"])],
        [f"mean corruption accuracy (mCA), mean over {summary['mean_over']}",
         _percent(summary["mean_corruption_accuracy"])],
        ["relative mCA", _percent(summary["relative_corruption_accuracy"])],
    ]
    skipped = [f"{name}: {reason}" for name, reason in summary["impossible"].items()]
    idle = [f"{name}: {reason}" for name, reason in summary["without_effect"].items()]
    return Document(
        f"Robustness of {summary.get('model', 'a model')} on {summary.get('data', 'clips')}",
        f"{len(result)} clips. {summary['intervals_note']}",
        [Section("Figures", [Table(["", "share [95 % interval]"], figures), DEFINITION]),
         Section("Notes", [Bullets(summary["notes"])] if summary["notes"] else []),
         Section("Accuracy against severity",
                 [Picture("robustness.png", "top-1 accuracy against severity of each corruption; "
                          "broken: the clips as they are; bands: 95 % intervals"),
                  Table(["corruption", "what is wrong", "unit", "severity: top-1, %", "mean, %",
                         "relative, %"], rows)]),
         Section("Without an effect", [
             "Less than 1 % of the probability moves from class to class at every severity; these "
             "count in the mean like the others.", Bullets(idle)] if idle else []),
         Section("Not measured", [Bullets(skipped)] if skipped else []),
         Section("Conditions", [conditions_table(
             {name: summary[name] for name in summary if name in _CONDITIONS})])])
