"""What an experiment between data sets makes comparable, and what it measures."""

from dataclasses import dataclass

from skelact.checks import check_choice, closest
from skelact.config import TrainConfig
from skelact.errors import ChoiceError, LayoutError
from skelact.evaluation.adaptation import ADAPTATIONS
from skelact.graph.layouts import get_layout

JOINTS = ("common", "aligned", "source")
"""What `Options.joints` may say beside a layout."""


@dataclass(frozen=True)
class Options:
    """How data sets are made comparable, and what is measured.

    Args:
        label_map: A label map by name or file; see `skelact.experiments.domains.plan_task`.
        joints: The skeleton: ``common``, the joints that all data sets of the matrix have, where
            each has them; ``aligned``, the same with neck, spine and pelvis computed alike;
            ``source``, those of the data set that is trained on; or a layout.
        change_axes: Bring units and axes together.
        seeds: Networks a cell.
        adaptations: Ways to adapt to the target without its labels, also judged.
        distances: Measure how far the features of both sides lie apart.
        shots: Numbers of labelled clips a class of the target with which to tell its classes by
            the nearest mean of features.
        tune: Also fine-tune with them.
    """

    label_map: str = ""
    joints: str = "common"
    change_axes: bool = True
    seeds: int = 3
    adaptations: tuple[str, ...] = ()
    distances: bool = False
    shots: tuple[int, ...] = ()
    tune: bool = False

    def __post_init__(self) -> None:
        if self.joints not in JOINTS:
            try:
                get_layout(self.joints)
            except LayoutError as error:
                raise LayoutError(f"expected --joints out of {', '.join(JOINTS)}, or a layout"
                                  f"{closest(self.joints, JOINTS)}: {error}") from error
        for name in self.adaptations:
            check_choice(name, ADAPTATIONS, "an adaptation")
        if self.seeds < 1:
            raise ChoiceError(f"expected seeds from 1, got {self.seeds}")
        if any(count < 1 for count in self.shots) or (self.tune and not self.shots):
            raise ChoiceError("expected --few-shot with numbers of clips from 1, such as 1,5,20; "
                              f"got {self.shots or 'none'}")


def check_skeletons(config: TrainConfig) -> None:
    """Refuse settings with pixels: data sets of an experiment are compared by their skeletons.

    Raises:
        ChoiceError: Such settings.
    """
    if config.rgb.encoder:
        raise ChoiceError("an experiment between data sets trains and judges skeletons; leave "
                          f"--rgb.encoder {config.rgb.encoder} out")
