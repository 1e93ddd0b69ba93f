"""``skelact cross-domain``: train on some data sets, test on others."""

from typing import TYPE_CHECKING

from skelact.errors import ChoiceError

if TYPE_CHECKING:
    from skelact.cli.parser import CommandParser
    from skelact.config import TrainConfig
    from skelact.experiments.options import Options

_NOT_HERE = {"dataset", "data", "exclude", "background", "init", "retrain"}
"""Settings of training that an experiment decides itself."""


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact cross-domain --help``."""
    words = parse(arguments)
    config, options = _config(words), _options(words)
    output = words.output
    if words.one_shot:
        return _one_shot(words, config)
    if words.model is not None:
        from skelact.experiments.cross_domain import run_checkpoint

        matrix = run_checkpoint(
            words.model, words.test, output, options, next(iter(words.train), None),
            words.protocol, words.test_clips, words.overwrite, words.device)
    elif words.leave_one_out:
        from skelact.experiments.leave_one_out import run_leave_one_out

        matrix = run_leave_one_out(words.leave_one_out, output, config, options, words.overwrite,
                                   words.resume)
    else:
        from skelact.experiments.cross_domain import run_cross_domain

        matrix = run_cross_domain(words.train, words.test, output, config, options, words.pooled,
                                  words.overwrite, words.resume)
    print(matrix)
    print(f"\nwrote {output}/matrix.md, matrix.csv, matrix.json and matrix.png")
    return 0


def parse(arguments: list[str]):
    """What the words of the command line ask for, the values of ``configs/transfer.yaml`` first.

    Raises:
        ChoiceError: Options that do not go together.
        SystemExit: A word that the command does not know, or a value of another kind.
    """
    from skelact.presets import find_preset

    parser = _parser()
    preset = find_preset("transfer")[0]
    words = parser.instantiate_classes(parser.parse_args(["--config", str(preset), *arguments]))
    if words.leave_one_out and (words.train or words.test or words.pooled):
        raise ChoiceError("--leave-one-out A B C says both what is trained on and what is tested; "
                          "pass it without --train, --test and --pooled")
    if words.one_shot or words.model is not None:
        return _check_others(words)
    if not words.leave_one_out and not (words.train and words.test):
        raise ChoiceError("expected --train STORE ... and --test STORE ..., or --leave-one-out "
                          "STORE STORE ...; `skelact data prepare` makes a store")
    return words


def _check_others(words):
    """Refuse what does not go with a model that is there, or with the one-shot protocol."""
    others = ("pooled", "few_shot", "adapt", "distances", "label_map", "leave_one_out")
    if words.one_shot and (len(words.train) != 1 or words.test or words.model is not None
                           or words.joints != "common" or any(words[name] for name in others)):
        raise ChoiceError("--one-shot takes one store of ntu120, --train STORE, and nothing to "
                          "test on: the protocol says who is tested; it has no use for --model, "
                          "--joints, --" + ", --".join(others).replace("_", "-"))
    if words.model is not None and (not words.test or len(words.train) > 1 or words.pooled
                                    or words.leave_one_out or words.few_shot or words.resume):
        raise ChoiceError("--model CKPT takes --test STORE ..., and --train with the one store "
                          "that it was trained on, if any; it trains nothing, so --pooled, "
                          "--leave-one-out, --few-shot and --resume are not for it")
    return words


def _one_shot(words, config: "TrainConfig") -> int:
    from skelact.experiments.one_shot import run_one_shot

    print(run_one_shot(words.train[0], words.output, config, words.seeds, not words.no_harmonise,
                       words.overwrite, words.resume))
    print(f"\nwrote {words.output}/one_shot.md and one_shot.json")
    return 0


def _config(words) -> "TrainConfig":
    from skelact.config import TrainConfig

    return TrainConfig(**{name: words[name] for name in TrainConfig.__dataclass_fields__
                          if name not in _NOT_HERE})


def _options(words) -> "Options":
    from skelact.experiments.options import Options

    return Options(
        label_map=words.label_map, joints=words.joints, change_axes=not words.no_harmonise,
        seeds=words.seeds, adaptations=tuple(words.adapt.split(",")) if words.adapt else (),
        distances=words.distances, tune=words.tune, shots=_numbers(words.few_shot))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(",")) if text else ()
    except ValueError:
        raise ChoiceError(f"expected --few-shot as numbers such as 1,5,20; got {text!r}") from None


def _parser() -> "CommandParser":
    from jsonargparse import DefaultHelpFormatter, set_parsing_settings

    from skelact.cli.parser import CommandParser
    from skelact.config import TrainConfig

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = CommandParser(
        "cross-domain",
        "Does it travel? Train on some data sets and test on others: a matrix of accuracies. "
        "Classes are matched by a label map, skeletons by joint names, units and axes by anatomy; "
        "all of it is reported. Every value of the preset transfer can be overridden: "
        "--optim.epochs 20",
        formatter_class=DefaultHelpFormatter,
    )
    add = parser.add_argument
    add("--train", nargs="+", default=[], metavar="STORE", help="data sets to train on, each apart")
    add("--test", nargs="+", default=[], metavar="STORE",
        help="data sets to test on; one that is trained on too gives its in-domain figure")
    add("--pooled", action="store_true", help="train one network on all of --train together")
    add("--leave-one-out", nargs="+", default=[], metavar="STORE",
        help="train on all but one of these, test on the one; each in turn")
    add("-o", "--output", default="runs/cross_domain", metavar="DIR",
        help="where everything goes (default: runs/cross_domain)")
    add("--overwrite", action="store_true", help="begin anew")
    add("--resume", action="store_true", help="go on with an experiment that was broken off")
    add("--seeds", type=int, default=3, metavar="N", help="networks a cell, from --seed on; the "
        "mean is reported (default: 3)")
    add("--label-map", default="", metavar="MAP", help="which classes are the same: a name or a "
        ".yaml file (default: actions; data sets with the same class names share those)")
    add("--joints", default="common", metavar="MAP", help="the skeleton. common: the joints that "
        "all data sets have or can derive; aligned: the same, with neck, spine and pelvis computed "
        "alike from shoulders and hips; source: those of the data set that is trained on; or a "
        "layout, a name or a .yaml file (with --model, common and source are the model's own)")
    add("--no-harmonise", action="store_true",
        help="leave units and axes as they are, to see what that costs")
    add("--adapt", default="", metavar="batch_norm,coral,entropy",
        help="also adapt to the target without its labels: AdaBN, CORAL, TENT")
    add("--distances", action="store_true",
        help="also measure how far the features of both sides lie apart")
    add("--few-shot", default="", metavar="1,5,20", help="also tell all classes of the target by "
        "so many labelled clips of each: nearest class mean")
    add("--tune", action="store_true", help="with --few-shot, also fine-tune with these clips")
    add("--model", default=None, metavar="CKPT", help="train nothing: test this checkpoint on "
        "--test (and on the test part of --train, what it was trained on)")
    add("--one-shot", action="store_true", help="the one-shot protocol of ntu120: learn 100 "
        "classes of --train STORE, tell 20 others from one example each")
    add("--config", action="config", help="a further YAML file of values")
    parser.add_class_arguments(TrainConfig, as_group=False, skip=_NOT_HERE)
    return parser
