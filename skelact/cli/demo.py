"""``skelact demo``: run everything, live, on data that is already on the machine."""

import contextlib
import json
import shlex
import shutil
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from skelact.cli.examples import CREDITS, EXAMPLES, Example, judge
from skelact.errors import OutputExistsError, SkelactError

if TYPE_CHECKING:
    from skelact.pose.recording import Recording
    from skelact.recognition.recognizer import Recognition, Recognizer


def run(arguments: list[str]) -> int:
    """Run the command; see ``skelact demo --help``."""
    options = _parser().parse_args(arguments)
    return Demo(check_folder(options.output, options.overwrite), options.overwrite).run()


def _parser():
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "demo",
        "Run everything once, live and offline, in less than two minutes: follow the "
        "people of a video made from a photo, name actions in pose files that ship with skelact, "
        "and write videos, animations, JSON and a page that shows it all (index.html).",
        epilog="Exit code: 0 all done, 1 pose stage left out (no estimator here), 2 wrong usage.",
    )
    parser.add_argument("-o", "--output", metavar="DIR", default="skelact-demo",
                        help="folder to write (default: skelact-demo)")
    parser.add_argument("--overwrite", action="store_true",
                        help="write into a folder that is not empty; only files that the demo "
                        "writes are replaced")
    return parser


def check_folder(folder: str | Path, overwrite: bool) -> Path:
    """Return the folder if the demo may write into it.

    Raises:
        OutputExistsError: It is not empty and ``overwrite`` is false.
        SkelactError: It is a file or may not be written.
    """
    from skelact.output import check_writable

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise SkelactError(f"expected a folder for the demo, got the file {folder}")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputExistsError(f"{folder} is not empty; pass --overwrite to replace what an "
                                f"earlier demo wrote there, or -o DIR to write elsewhere")
    check_writable(folder / "index.html", overwrite)
    return folder


class Demo:
    """One run of the demo.

    Args:
        folder: Where to write.
        overwrite: Replace files of the same names.
    """

    def __init__(self, folder: Path, overwrite: bool) -> None:
        self.folder, self.overwrite = folder, overwrite
        self.steps: list[tuple[str, float]] = []
        self.sections: list = []
        self.estimator = "none"

    def run(self) -> int:
        """Do everything.

        Returns:
            The exit code: 1 if the pose stage could not run.
        """
        began = time.perf_counter()
        print("skelact demo: everything below is computed now, on this machine, offline\n",
              flush=True)
        with self._step("load torch and the action model"):
            from skelact.recognition.recognizer import Recognizer

            recognizer = Recognizer()
        print("1. Pixels to people to actions: a photo, and a camera that moves over it",
              flush=True)
        obstacle = self._show_photo(recognizer)
        if obstacle:
            print(f"   LEFT OUT: {obstacle}\n")
        print(f"2. People to actions: {len(EXAMPLES)} pose files that ship with skelact\n",
              flush=True)
        for example in EXAMPLES:
            self._show_example(example, recognizer)
        self._write_page(recognizer, obstacle, time.perf_counter() - began)
        self._print_end(time.perf_counter() - began)
        return 1 if obstacle else 0

    def _show_photo(self, recognizer: "Recognizer") -> str | None:
        """Find, follow and judge the people of a moving photo; what is in the way, if anything."""
        from skelact.cli.photo_pan import find_photo, render_pan
        from skelact.pose.estimators.choice import decide_estimator
        from skelact.pose.extract import extract
        from skelact.pose.files import save_recording
        from skelact.visualization.draw import overlay_video

        if (photo := find_photo()) is None:
            return "no photo is on this machine; ultralytics brings one"
        try:
            choice = decide_estimator("auto", offline=True)
            with self._step(f"load the pose estimator, {choice.name}", say=True):
                estimator = choice.load()
        except SkelactError as error:
            return str(error)
        place, self.estimator = self.folder / "photo", estimator.name
        with self._step(f"make a video of {photo.file.name}, part of {photo.package}", say=True):
            video = render_pan(photo, place / "video.mp4", self.overwrite)
        began = time.perf_counter()
        with self._step("find and follow its people", say=True):
            recording = extract(video, estimator)
        speed = recording.num_frames / (time.perf_counter() - began)
        save_recording(recording, place / "poses.npz", self.overwrite)
        recognition = self._recognize(recording, recognizer, place)
        with self._step("draw them on the video", say=True):
            overlay_video(recording, place / "overlay.mp4", video, recognition.label_at,
                          overwrite=self.overwrite, progress=False)
        people = len(recording.tracks)
        shows = (f"{photo.shows}, a still photo under a moving camera; {people} "
                 f"{'person' if people == 1 else 'people'} found in {recording.num_frames} frames "
                 f"by {estimator.name}, {speed:.0f} frames a second")
        self._report("photo", shows, None, recording, recognition,
                     ("overlay.mp4", "video.mp4", "poses.npz", "recognition.json"),
                     f"photo: from the installed package {photo.package}")
        return None

    def _show_example(self, example: Example, recognizer: "Recognizer") -> None:
        from skelact.output import atomic_write
        from skelact.pose.files import load_recording
        from skelact.visualization.animate import contact_sheet, save

        place = self.folder / example.name
        with atomic_write(place / "poses.npz", self.overwrite) as temporary:
            shutil.copyfile(example.file, temporary)
        recording = load_recording(place / "poses.npz")
        recognition = self._recognize(recording, recognizer, place)
        with self._step(f"draw {example.name}"):
            save(recording, place / "animation.gif", overwrite=self.overwrite, progress=False,
                 labels=recognition.label_at)
            contact_sheet(recording, place / "sheet.png", rows=2, overwrite=self.overwrite)
        self._report(example.name, example.shows, example.expected, recording, recognition,
                     ("animation.gif", "sheet.png", "poses.npz", "recognition.json"),
                     f"video: {example.credit}")

    def _recognize(self, recording: "Recording", recognizer: "Recognizer",
                   place: Path) -> "Recognition":
        from skelact.output import write_text

        with self._step(f"name the actions of {place.name}"):
            recognition = recognizer.recognize(recording)
        text = json.dumps(recognition.to_dict(), indent=1)
        write_text(place / "recognition.json", text + "\n", self.overwrite)
        return recognition

    def _report(self, name: str, shows: str, expected: str | None, recording: "Recording",
                recognition: "Recognition", files: tuple[str, ...], credit: str) -> None:
        """Print what was found, and keep it for the page."""
        from skelact.cli.recognize import format_table
        from skelact.visualization.summary import Section

        result = recognition.to_dict()
        good, verdict = judge(result, expected)
        self.sections.append(Section(
            name, shows, good, verdict, result, float(recording.timestamps[0]),
            tuple(f"{name}/{file}" for file in files), credit,
        ))
        print(f"   {name}: {shows}")
        for line in [*format_table(recognition).splitlines(), verdict]:
            print(f"     {line}")
        print(flush=True)

    def _write_page(self, recognizer: "Recognizer", obstacle: str | None, seconds: float) -> None:
        from skelact.output import atomic_write
        from skelact.visualization.summary import write_summary

        with atomic_write(self.folder / "CREDITS.md", self.overwrite) as temporary:
            shutil.copyfile(CREDITS, temporary)
        right = sum(section.good for section in self.sections)
        facts = [("Pose estimator", self.estimator), ("Action model", recognizer.model.name),
                 ("Least score that names an action", f"{recognizer.threshold:.2f}"),
                 ("Versions", _versions())]
        write_summary(
            self.folder / "index.html", "skelact demo",
            f"{len(self.sections)} recordings, {right} of them named as they should be. "
            f"Computed in {seconds:.0f} seconds on this machine, without network.",
            self.sections, limits=_limits(recognizer, self.estimator, obstacle),
            commands=self._commands(), facts=facts, steps=self.steps, overwrite=self.overwrite,
        )

    def _commands(self) -> list[tuple[str, str]]:
        """What to type next, and what it does."""
        poses = shlex.quote(str(self.folder / "squats" / "poses.npz"))
        return [
            ("skelact recognize VIDEO -o actions.json --overlay actions.mp4",
             "who does what, when, in a video of yours"),
            ("skelact pose VIDEO --overlay", "everyone's joints over time, as a pose file"),
            (f"skelact recognize {poses}", "the same squats once more"),
            (f"skelact show {poses} -o squats.mp4", "draw a pose file"),
        ]

    def _print_end(self, seconds: float) -> None:
        right = sum(section.good for section in self.sections)
        print(f"{right} of {len(self.sections)} recordings named as they should be, in "
              f"{seconds:.0f} s. A handful of clips measures nothing; see the model card.\n")
        print(f"Look at {self.folder / 'index.html'}\n\nWhat to type next:")
        commands = self._commands()
        width = max(len(command) for command, _ in commands)
        for command, purpose in commands:
            print(f"  {command:<{width}}  # {purpose}")

    @contextlib.contextmanager
    def _step(self, what: str, say: bool = False) -> Iterator[None]:
        """Time a step, and say so."""
        began = time.perf_counter()
        yield
        self.steps.append((what, time.perf_counter() - began))
        if say:
            print(f"   {what}: {self.steps[-1][1]:.1f} s", flush=True)


def _limits(recognizer: "Recognizer", estimator: str, obstacle: str | None) -> list[str]:
    """What the demo does not show."""
    names = ", ".join(name.replace("_", " ") for name in recognizer.model.classes)
    limits = [
        f"The model knows {len(recognizer.model.classes)} actions: {names}. For anything else it "
        "should say nothing. It does not always manage; the verdicts above are not edited.",
        "The photo is a still one. Only the camera moves, so there is no action in it to find: it "
        "shows that decoding, pose estimation, tracking and drawing work on this machine.",
        "The other recordings are joints that were extracted before, by YOLO11n-pose; their "
        "videos are not shipped, and no pixel of them was looked at here.",
        f"{len(EXAMPLES)} short clips illustrate; they measure nothing. Accuracy is in the model "
        "card.",
    ]
    if "mediapipe" in estimator:
        limits.append("MediaPipe follows one person only, so further people in the photo were "
                      "ignored. With YOLO weights skelact follows everybody.")
    if obstacle:
        limits.append(f"The pose stage was left out: {obstacle}")
    return limits


def _versions() -> str:
    """Of skelact and what it stands on; those that are not installed are left out."""
    found = []
    for name in ("skelact", "torch", "av", "ultralytics", "mediapipe"):
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)
