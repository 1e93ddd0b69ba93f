"""Who does what, when."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelact.errors import ChoiceError
from skelact.models.checkpoint import ActionModel, load_model
from skelact.models.classifier import action_probabilities
from skelact.pose.recording import Recording
from skelact.recognition.segments import ScoreCurves, Segment, merge_windows, score_curves
from skelact.recognition.window_pixels import cut_window_pixels
from skelact.recognition.windows import cut_windows
from skelact.rgb.frames import FrameSource, open_source
from skelact.rgb.two_stream import join_pixels

_BATCH = 64
_BATCH_WITH_PIXELS = 8


@dataclass(frozen=True)
class TrackActions:
    """What one person did.

    Args:
        track_id: The person, as in the recording.
        start: Seconds when the person was first seen.
        end: Seconds when the person was last seen.
        segments: The actions named, in order of time.
        watched: Seconds that were long and whole enough to judge.
        curves: What the windows scored over time, if it was kept.
    """

    track_id: int
    start: float
    end: float
    segments: tuple[Segment, ...]
    watched: float
    curves: ScoreCurves | None = None


@dataclass(frozen=True)
class Recognition:
    """What everyone in a recording did."""

    source: str
    fps: float
    duration: float
    model: str
    classes: tuple[str, ...]
    tracks: tuple[TrackActions, ...]

    def label_at(self, track_id: int, time: float) -> str | None:
        """The action of a person at a time in seconds; None where none was named."""
        for track in self.tracks:
            if track.track_id == track_id:
                for segment in track.segments:
                    if segment.start <= time < segment.end:
                        return segment.label
        return None

    def to_dict(self) -> dict:
        """Plain values for JSON, times in seconds; see ``docs/data.md``."""
        return {
            "source": self.source,
            "fps": self.fps,
            "duration": self.duration,
            "model": self.model,
            "classes": list(self.classes),
            "tracks": [
                {
                    "track_id": track.track_id,
                    "start": round(track.start, 3),
                    "end": round(track.end, 3),
                    "segments": [
                        {"start": round(s.start, 3), "end": round(s.end, 3), "label": s.label,
                         "score": round(s.score, 4),
                         "top": [[label, round(score, 4)] for label, score in s.top]}
                        for s in track.segments
                    ],
                    **({"curves": track.curves.to_dict()} if track.curves else {}),
                }
                for track in self.tracks
            ],
        }


class Recognizer:
    """Names the actions of every person of a recording.

    Args:
        model: An `ActionModel`, a checkpoint file, or None for the model that ships with skelact.
        device: Where a model that is loaded here runs: ``cpu``, ``cuda``, ... or ``auto``.
        threshold: Least probability that names an action; by default the model's own.
        step: Seconds between windows.

    Raises:
        WeightsError: The checkpoint cannot be used.
        ChoiceError: A threshold outside 0..1 or a step that is not positive.

    Example:
        >>> Recognizer().recognize(load_recording("squats.npz")).to_dict()
    """

    def __init__(
        self,
        model: ActionModel | str | Path | None = None,
        device: str = "cpu",
        threshold: float | None = None,
        step: float = 0.5,
    ):
        if threshold is not None and not 0 <= threshold <= 1:
            raise ChoiceError(f"expected a threshold in 0..1, got {threshold}")
        if not 0 < step < math.inf:
            raise ChoiceError(f"expected a step above 0 seconds, got {step}")
        self.model = model if isinstance(model, ActionModel) else load_model(model, device)
        self.threshold = self.model.threshold if threshold is None else threshold
        self.step = step
        self._two_stream: torch.nn.Module | None = None

    def recognize(self, recording: Recording, frames: FrameSource | None = None) -> Recognition:
        """Recognize every track that has frames.

        Args:
            recording: Who was where.
            frames: Of the video that it was made from (`VideoReader`, or `KeptFrames`), for a
                model that wants pixels; without them it decides by the skeleton alone.

        Raises:
            SkelactError: The recording is 3-D but the model takes 2-D.
            LayoutError: The recording's skeleton cannot be converted to the model's, or it has no
                hands to look at.
            VideoError: The frames are those of another video.
        """
        tracks = []
        if self.model.pixels is None:
            frames = None
        if frames is not None:
            frames = open_source(frames, recording)
            self._two_stream = self._two_stream or join_pixels(self.model)
        windows = cut_windows(recording, self.model.layout, self.model.clip, self.step)
        for track, cut in windows:
            times = recording.track_times(track)
            scores = (self._score(cut.clips) if frames is None
                      else self._look(cut.clips, cut.spans, recording, track.track_id, frames))
            segments = merge_windows(cut.spans, scores, self.model.classes, self.threshold)
            tracks.append(TrackActions(
                track.track_id, float(times[0]), float(times[-1]), tuple(segments),
                _covered(cut.spans), score_curves(cut.spans, scores, self.model.classes),
            ))
        return Recognition(recording.source, recording.fps, recording.duration, self.model.name,
                           self.model.classes, tuple(tracks))

    def _score(self, clips: Tensor) -> np.ndarray:
        """``[W, classes]`` probabilities of the windows of one track."""
        parts = [self.model.probabilities(part) for part in clips.split(_BATCH) if len(part)]
        return np.concatenate([np.empty((0, len(self.model.classes))), *parts])


    @torch.inference_mode()
    def _look(
        self, clips: Tensor, spans: np.ndarray, recording: Recording, track_id: int,
        frames: FrameSource,
    ) -> np.ndarray:
        """``[W, classes]`` probabilities of the windows of one track, pixels seen."""
        classes, device = len(self.model.classes), next(self._two_stream.parameters()).device
        parts, first = [np.empty((0, classes))], 0
        for values, present in cut_window_pixels(frames, recording, track_id,
                                                 self.model.pixels.cut, spans, _BATCH_WITH_PIXELS):
            part = clips[first : first + len(values)].to(device)
            first += len(values)
            scores = self._two_stream(part, values.to(device), present.to(device))
            parts.append(action_probabilities(scores, classes).cpu().numpy())
        return np.concatenate(parts)


def _covered(spans: np.ndarray) -> float:
    """Seconds under at least one window."""
    total, reached = 0.0, -np.inf
    for start, end in sorted(spans.tolist()):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return float(total)
