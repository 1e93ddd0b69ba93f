"""The result of a recognition, checked against its recording and cut to what is drawn."""

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from skelact.errors import FileFormatError, SkelactError
from skelact.pose.recording import Recording

_SLACK = 0.5
"""Seconds by which a result's duration may differ: another estimator may lose the last frames."""


def read_result(path: str | Path) -> dict:
    """Read what ``skelact recognize -o`` wrote.

    Raises:
        FileFormatError: The file is missing or no JSON object.
    """
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(f"no result at {path}; `skelact recognize FILE -o {path}` writes "
                              "one") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"expected the JSON of `skelact recognize -o`, got {path}: "
                              f"{error}") from error
    if not isinstance(result, dict):
        raise FileFormatError(f"expected the JSON of `skelact recognize -o`, got {path}, which "
                              f"holds a {type(result).__name__}")
    return result


def check_result(result: Mapping, recording: Recording) -> dict[int, dict]:
    """What to draw of a result: track id -> segments and score curves.

    Args:
        result: What `Recognition.to_dict` gives.
        recording: The recording that it is of.

    Returns:
        For each track ``segments`` (``start``, ``end``, ``label``, ``score``, ``top``) in order of
        time, and ``curves``: pieces (start, end, score) of what is ``named``, and of each of the
        ``others``. Times in seconds, labels with spaces for underscores.

    Raises:
        FileFormatError: It is not of the form that ``docs/data.md`` describes.
        SkelactError: It is of another recording: other people, or another duration.
    """
    try:
        tracks = {int(track["track_id"]): _track(track) for track in result["tracks"]}
        duration = _number(result["duration"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise FileFormatError("expected the JSON of `skelact recognize -o` (tracks of segments "
                              f"with start, end, label, score, top); {what}") from error
    unknown = sorted(set(tracks) - {track.track_id for track in recording.tracks})
    if unknown or abs(duration - recording.duration) > _SLACK:
        why = (f"it names person {', '.join(map(str, unknown))}" if unknown else
               f"it lasts {duration:.1f} s, the recording {recording.duration:.1f} s")
        raise SkelactError(f"the result is not of this recording: {why}; "
                           "`skelact recognize FILE -o RESULT.json` makes one of the same file")
    return tracks


def _track(raw: Mapping) -> dict:
    segments = sorted((_segment(s) for s in raw["segments"]), key=lambda s: s["start"])
    if raw.get("curves"):
        curves = _window_curves(raw["curves"], segments)
    else:
        curves = _segment_curves(segments) if segments else None
    return {"segments": segments, "curves": curves}


def _segment(raw: Mapping) -> dict:
    start, end = _number(raw["start"]), _number(raw["end"])
    if end < start:
        raise ValueError(f"a segment ends at {end} s, before it starts at {start} s")
    top = [[_label(label), _score(score)] for label, score in raw.get("top", ())]
    return {"start": start, "end": end, "label": _label(raw["label"]),
            "score": _score(raw["score"]), "top": top}


def _window_curves(raw: Mapping, segments: list[dict]) -> dict:
    """Scores over time as pieces (start, end, score); what is named also by itself."""
    edges = [_number(edge) for edge in raw["edges"]]
    spans = list(pairwise(edges))
    rows = {}
    for label, scores in zip(raw["labels"], raw["scores"], strict=True):
        rows[_label(label)] = [(start, end, _score(score)) for (start, end), score
                               in zip(spans, scores, strict=True) if score is not None]
    named = [piece for segment in segments for piece in rows.get(segment["label"], ())
             if segment["start"] - 1e-3 <= piece[0] and piece[1] <= segment["end"] + 1e-3]
    return {"named": named, "others": list(rows.values())}


def _segment_curves(segments: list[dict]) -> dict:
    """Mean scores as pieces (start, end, score), flat over each segment."""
    others: dict[str, list] = {}
    for segment in segments:
        for label, score in segment["top"]:
            if label != segment["label"]:
                others.setdefault(label, []).append((segment["start"], segment["end"], score))
    named = [(segment["start"], segment["end"], segment["score"]) for segment in segments]
    return {"named": named, "others": list(others.values())}


def _label(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a label is {value!r}")
    return value.replace("_", " ")


def _score(value: object) -> float:
    score = _number(value)
    if not 0 <= score <= 1:
        raise ValueError(f"a score is {score}")
    return score


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a number is {value!r}")
    return float(value)
