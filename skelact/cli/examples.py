"""The pose files that ship with skelact for ``skelact demo``, and what they show."""

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "demo_data"

CREDITS = _FOLDER / "CREDITS.md"


@dataclass(frozen=True)
class Example:
    """A pose file that ships with skelact.

    Args:
        name: The file's, without suffix.
        shows: What the video shows.
        expected: The action of the shipped model that it shows; None if it shows none of them.
        credit: Where the video comes from, and its terms; ``demo_data/CREDITS.md`` says more.
    """

    name: str
    shows: str
    expected: str | None
    credit: str

    @property
    def file(self) -> Path:
        """The pose file."""
        return _FOLDER / f"{self.name}.npz"


EXAMPLES = (
    Example("squats", "one person does squats, filmed at 5 frames a second", "squat",
            "tensorflow/tfjs-models, Apache-2.0"),
    Example("right_hand_wave", "one person waves", None, "kleinlee/action3D, MIT"),
    Example("bow_nod", "one person bows", None, "kleinlee/action3D, MIT"),
    Example("three_people_exercise", "three people do gymnastics, arms and legs to the sides", None,
            "probably felixchenfy/Realtime-Action-Recognition, MIT"),
    Example("people_come_and_go", "one person leaves a table, another comes", None,
            "Intel sample videos, CC BY 4.0"),
)


def judge(result: dict, expected: str | None) -> tuple[bool, str]:
    """Compare a result with what the recording shows.

    Args:
        result: What `Recognition.to_dict` gives.
        expected: The action that everybody does all the time; None for none that the model knows.

    Returns:
        Whether it is right, and a line that says how far. Right is: none named where there is
        none; the expected one for at least half of the time, and others for less than a quarter.
    """
    people = result["tracks"]
    if not people:
        return False, "wrong: nobody was seen"
    seen = sum(p["end"] - p["start"] + 1 / result["fps"] for p in people)
    named = [(s["label"] == expected, s["end"] - s["start"]) for p in people for s in p["segments"]]
    hit, missed = (sum(t for right, t in named if right is which) for which in (True, False))
    unit = "seconds" if len(people) == 1 else "person-seconds"
    if expected is None:
        what = f"it shows none of the model's {len(result['classes'])} actions"
        if not missed:
            return True, f"right: {what}, and none was named"
        return False, f"wrong for {missed:.1f} of {seen:.1f} {unit}: {what}"
    good = hit >= seen / 2 and missed < seen / 4
    line = f"{'right' if good else 'wrong'}: {expected} for {hit:.1f} of {seen:.1f} {unit}"
    return good, line + (f", something else for {missed:.1f}" if missed else "")
