"""``skelact robustness``: how much a model loses when its joints get worse."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact robustness --help``."""
    options = _parser().parse_args(arguments)
    severities = parse_severities(options.severities)

    from skelact.evaluation.robustness_report import check_folder, describe, write_robustness

    check_folder(options.output, options.overwrite)
    result, conditions, notes = _measure(options, severities)
    summary = write_robustness(result, options.output, conditions, notes, options.overwrite)
    print(describe(summary))
    print(f"\nwrote {options.output}/report.md, robustness.csv, robustness.json and "
          "robustness.png")
    return 0


def parse_severities(words: list[str] | None) -> dict[str, list[float]]:
    """Corruption -> severities, of words such as ``joint_jitter=2,5``.

    Raises:
        ChoiceError: A word is of another form, or a corruption comes twice.
    """
    from skelact.errors import ChoiceError

    severities: dict[str, list[float]] = {}
    for word in words or ():
        name, _, values = word.partition("=")
        try:
            numbers = [float(value) for value in values.split(",")]
        except ValueError:
            raise ChoiceError("expected --severities as CORRUPTION=NUMBER,NUMBER such as "
                              f"joint_jitter=2,5; got {word!r}") from None
        if name in severities:
            raise ChoiceError(f"--severities names {name} twice; give all its numbers at once")
        severities[name] = numbers
    return severities


def _measure(options, severities: dict[str, list[float]]):
    """What the model says of the clips as they are and with every corruption; what must be known.

    Returns:
        The result, the conditions, and the notes.
    """
    from dataclasses import replace

    import numpy as np

    from skelact.datasets.store import Store
    from skelact.datasets.validation.integrity import check_whole
    from skelact.device import choose_precision
    from skelact.errors import ChoiceError
    from skelact.evaluation.conditions import describe_conditions
    from skelact.evaluation.evaluate import choose_clips
    from skelact.evaluation.figures import usable_subjects
    from skelact.evaluation.robustness import check_request, measure_robustness
    from skelact.models.checkpoint import load_model

    names = tuple(options.corruptions.split(",")) if options.corruptions else ()
    check_request(names, severities, options.seeds)  # before the model is read, not after
    if options.max_clips < 0:
        raise ChoiceError(f"expected --max-clips from 0, got {options.max_clips}")
    check_whole(options.data)
    store = Store(options.data)
    model = load_model(options.checkpoint, options.device)
    clips = choose_clips(model, store, options.split, options.shared_classes)
    device = next(model.network.parameters()).device
    precision = choose_precision(options.precision, device)
    labels = np.full(len(store), -1)
    labels[clips.rows] = clips.labels
    rows, subjects = clips.rows, clips.subjects
    if 0 < options.max_clips < len(rows):
        chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[: options.max_clips])
        rows = rows[chosen]
        subjects = None if subjects is None else usable_subjects(subjects[chosen])
    result = measure_robustness(
        model, replace(store.arrays, labels=labels), rows, names, severities, seeds=options.seeds,
        groups=subjects, precision=precision, workers=options.workers, progress=True)
    conditions = describe_conditions(model, store, clips.split, 1, precision, device)
    conditions["model"] = options.checkpoint or model.name
    notes = clips.notes if len(rows) == len(clips.rows) else (
        *clips.notes, f"Only {len(rows)} of {len(clips.rows)} clips were scored, drawn at random "
        "(--max-clips).")
    return result, conditions, notes


def _parser() -> "CommandParser":
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "robustness",
        "Score a model on clips whose joints were made worse in many ways (noise, missing joints, "
        "lost frames, another camera, ...), each at several severities. 3-D joints are taken for "
        "metres with y up; where people surely stand otherwise, other cameras are left out and the "
        "report says so. Writes report.md, robustness.csv, robustness.json and robustness.png.",
    )
    parser.add_argument("checkpoint", nargs="?", metavar="CKPT",
                        help="a model that `skelact train` wrote (default: the one that ships "
                        "with skelact)")
    parser.add_argument("--data", required=True, metavar="STORE",
                        help="a store that `skelact data prepare` made")
    parser.add_argument("--split", default="",
                        help="as `skelact data info` lists them (default: test)")
    parser.add_argument("--corruptions", default="", metavar="A,B",
                        help="these only, such as joint_jitter,missing_joints (default: all)")
    parser.add_argument("--severities", action="append", metavar="A=1,2",
                        help="other severities of a corruption than usual; may be repeated")
    parser.add_argument("--seeds", type=int, default=1, metavar="N",
                        help="draw every random corruption N times (default: 1)")
    parser.add_argument("--max-clips", type=int, default=0, metavar="N",
                        help="a random N of the clips, for a quick look (default: all)")
    parser.add_argument("--shared-classes", action="store_true",
                        help="leave out clips of classes that the model does not know")
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default: auto)")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "fp16", "auto"),
                        help="arithmetic of the layers (default: fp32)")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="threads that prepare clips ahead (default: 1)")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="folder for the files")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier files there")
    return parser
