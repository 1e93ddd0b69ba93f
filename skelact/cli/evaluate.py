"""``skelact evaluate``: what a trained model is worth on a data set, and where it errs."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from skelact.cli.parser import CommandParser
    from skelact.evaluation.evaluate import Evaluation


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact evaluate --help``."""
    options = _parser().parse_args(arguments)

    from skelact.datasets.store import Store
    from skelact.datasets.validation.integrity import check_whole
    from skelact.evaluation.comparison import compare
    from skelact.evaluation.report import check_output, write_report
    from skelact.evaluation.scores import read_scores

    if options.output is not None:  # before any work, not after
        check_output(options.output, options.overwrite)
    other = None if options.against is None else read_scores(options.against)
    check_whole(options.data)
    store = Store(options.data)
    evaluation = _evaluate(options, store)
    comparison = None if other is None else compare(
        evaluation.scores, other, options.against, evaluation.subjects)
    print(format_figures(evaluation))
    if comparison is not None:
        print(comparison)
    if options.output is None:
        print("pass -o DIR for a report with pictures and examples")
        return 0
    write_report(evaluation, store, options.output, options.overwrite, comparison, progress=True)
    print(f"wrote {options.output}/report.html and metrics.json")
    return 0


def format_figures(evaluation: "Evaluation") -> str:
    """The figures as a table for the terminal, and what must be known of them."""
    from skelact.evaluation.figures import NAMES
    from skelact.evaluation.tables import describe_intervals, show_span

    conditions, result = evaluation.conditions, evaluation.scores
    lines = [f"{conditions['model']} on {conditions['data']}, {conditions['split']}: {len(result)} "
             f"clips, {conditions['views']} view{'s' * (conditions['views'] != 1)} each"]
    width = max(map(len, NAMES.values()))
    shown = {name: figure for name, figure in evaluation.figures().items()
             if figure.value == figure.value}  # NaN says nothing; the notes say why
    for name, figure in shown.items():
        lines.append(f"{NAMES[name]:>{width + 2}}  {figure.value:.4f}  (95 % interval "
                     f"{show_span(figure)})")
    lines.append(f"{'calibration error (ECE)':>{width + 2}}  {evaluation.calibration_error():.4f}")
    lines += [f"{name.replace('_', ' '):>{width + 2}}  {share:.4f}"
              for name, share in evaluation.rejection().items()]
    return "\n".join([*lines, describe_intervals(evaluation.subjects), *evaluation.remarks])


def _evaluate(options: "Namespace", store) -> "Evaluation":
    """Every model on its own, then together."""
    from skelact.errors import ChoiceError
    from skelact.evaluation.evaluate import evaluate_model, fuse_evaluations
    from skelact.evaluation.fusion import check_weights, parse_weights
    from skelact.models.checkpoint import load_model

    paths = options.checkpoints or [None]
    weights = None if options.fusion is None else parse_weights(options.fusion)
    if weights is not None and len(paths) < 2:
        raise ChoiceError("--fusion weighs several checkpoints; got one")
    if weights is not None:
        check_weights(weights, len(paths))
    models = [load_model(path, options.device) for path in paths]
    models = [model if path is None else replace(model, name=str(path))
              for model, path in zip(models, paths, strict=True)]
    return fuse_evaluations([
        evaluate_model(model, store, options.split, options.clips, precision=options.precision,
                       shared_classes=options.shared_classes, workers=options.workers,
                       progress=True, rgb=options.rgb, videos=options.videos)
        for model in models], weights)


def _parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "evaluate",
        "Score the labelled clips of a data set and report: figures with 95 % intervals, what is "
        "taken for what, examples, every class, calibration. Classes are matched by name, the "
        "skeleton is converted, 3-D clips are shown to a 2-D model from the front.",
    )
    add = parser.add_argument
    add("checkpoints", nargs="*", metavar="CKPT", help="a model that `skelact train` wrote, or "
        "several whose probabilities are fused (default: the one that ships with skelact)")
    add("--data", required=True, metavar="STORE", help="a store that `skelact data prepare` made")
    add("--split", default="", metavar="SPLIT", help="which clips: xsub/test, xview/test, "
        "all, ...; `skelact data info STORE` lists protocols (default: test of the first)")
    add("--clips", type=int, default=1, metavar="K", help="views of each clip whose probabilities "
        "are averaged, at most (default: 1, the whole clip; `skelact train` reports with 10)")
    add("--shared-classes", action="store_true", help="judge on the classes that model and data "
        "share, instead of refusing others")
    add("--no-rgb", dest="rgb", action="store_false", help="judge a model that looks at pixels by "
        "the skeleton alone")
    add("--videos", default="", metavar="DIR", help="folder of the videos, for a model that looks "
        "at pixels, where they no longer lie where the store was made from them")
    add("--fusion", metavar="2:2:1:1", help="weight of each checkpoint (default: all the same)")
    add("--against", metavar="SCORES", help="test_scores.npz (or its folder) of another model on "
        "the same clips: McNemar's test, and the interval of the difference")
    add("--device", default="auto", help="cpu, cuda or auto (default)")
    add("--precision", default="fp32", choices=("fp32", "bf16", "fp16", "auto"),
        help="arithmetic (default: fp32; a run's report used that of its config.yaml)")
    add("--workers", type=int, default=1, help="threads that prepare batches ahead (default: 1)")
    add("-o", "--output", metavar="DIR", help="write the report there (default: only print)")
    add("--overwrite", action="store_true", help="replace an earlier evaluation there")
    return parser
