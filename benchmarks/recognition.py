"""How often the recognizer names an action where there is none that it knows.

    python benchmarks/recognition.py VIDEO_OR_POSE_FILE... [--estimator yolo --weights FILE]

Prints, per file, the person-seconds watched, the share of them that got a label, and the labels.
Use videos that show no action of the model for the share, or known ones for the labels.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from skelact.pose.estimators.choice import choose_estimator
from skelact.pose.extract import extract
from skelact.pose.files import is_pose_file, load_recording
from skelact.recognition.recognizer import Recognizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--model")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--estimator", default="auto")
    parser.add_argument("--weights")
    options = parser.parse_args()
    recognizer = Recognizer(options.model, threshold=options.threshold)
    estimator = None
    total = labelled_total = 0.0
    print(f"{recognizer.model.name}, threshold {recognizer.threshold:.3f}")
    for path in options.inputs:
        if is_pose_file(path):
            recording = load_recording(path)
        else:
            estimator = estimator or choose_estimator(options.estimator, options.weights)
            recording = extract(path, estimator)
        start = time.perf_counter()
        result = recognizer.recognize(recording)
        took = time.perf_counter() - start
        watched = sum(track.watched for track in result.tracks)
        seconds = Counter()
        for track in result.tracks:
            for segment in track.segments:
                seconds[segment.label] += segment.end - segment.start
        labelled = sum(seconds.values())
        total, labelled_total = total + watched, labelled_total + labelled
        names = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.most_common())
        print(f"{Path(path).name:40} {len(result.tracks):3} people {watched:7.1f} s watched "
              f"{labelled / max(watched, 1e-9):6.1%} labelled ({took:.1f} s)  {names}")
    print(f"{'all':40} {total:18.1f} s watched {labelled_total / max(total, 1e-9):6.1%} labelled")


if __name__ == "__main__":
    main()
