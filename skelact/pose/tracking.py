"""Who is who: joins the people of each frame into tracks, one a person.

Pose-aware assignment, on detections alone (no pixels). Every person is moved on by the own
velocity and compared with the detections: object keypoint similarity and box overlap, half and
half; `scipy.optimize.linear_sum_assignment` finds the best pairs. First come the people known,
among the confident detections; then weak detections continue people seen just now (an occluded
person scores low); then newcomers; then people out of sight for longer, by place and size.

All thresholds are in seconds, body heights and similarities, so 5 and 50 frames a second behave
alike. Frames in which a person was not seen are left out of the track, never invented:
``frame_index`` has a hole there and the identity holds across it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from skelact.errors import ShapeError
from skelact.graph.layouts import Layout, get_layout
from skelact.pose.estimators.base import Detections
from skelact.pose.person import Outlook, Person, body_size, box_centre, look_ahead
from skelact.pose.recording import PoseTrack
from skelact.pose.similarity import BODY_SHARE, DEFAULT_SIGMA, box_area, box_iou, pose_similarity


@dataclass(frozen=True)
class TrackingRules:
    """What makes a person the same person."""

    low_score: float = 0.1
    """Detections below it are ignored."""
    high_score: float = 0.25
    """Detections from here on are confident; weaker ones only continue people seen just now."""
    birth_score: float = 0.4
    """A new person needs a detection of at least this score."""
    same_pose: float = 0.7
    """Two detections of a frame at least this alike are one person found twice."""
    second_view: float = 0.5
    """A detection this like one that was already claimed starts or revives nobody."""
    min_similarity: float = 0.2
    """Least likeness of pose and box to be the same person."""
    min_weak_similarity: float = 0.4
    """The same for weak detections."""
    min_place_similarity: float = 0.4
    """Least likeness of place and size for someone who was out of sight."""
    lost_weight: float = 0.8
    """How much the likeness of someone not seen just now counts against those who were."""
    recent: float = 0.25
    """Seconds (and always one missed frame) for which an unseen person counts as seen just now."""
    max_gap: float = 2.0
    """Seconds after which an unseen person is given up; whoever comes then is new."""
    min_duration: float = 0.3
    """Seconds, seen in half of the frames, that make a track; half the recording if shorter."""
    min_mean_score: float = 0.3
    """Finished tracks of a lower mean detection score are dropped."""
    min_joint_confidence: float = 0.4
    """Finished tracks are dropped whose surest third of joints is less sure: no person at all."""
    limb_speed: float = 0.5
    """Body heights a second by which a joint may move besides the whole body."""
    drift_speed: float = 0.5
    """Body heights a second by which someone out of sight may stray from the predicted place."""
    velocity_memory: float = 0.2
    """Seconds over which the velocity is averaged."""
    coasting: float = 0.5
    """Seconds within which the velocity of an unseen person fades."""


class Tracker:
    """Follows people through one video, frame by frame.

    Call `update` for every frame, also those with nobody in them, then `finish`.

    Args:
        layout: Skeleton of the detections (a `Layout` or the name of one).
        image_size: (width, height) in pixels; whoever leaves over the edge does not come back.
        rules: Thresholds; the defaults suit people in ordinary video.
    """

    def __init__(
        self,
        layout: Layout | str,
        image_size: tuple[int, int],
        rules: TrackingRules | None = None,
    ):
        self.layout = get_layout(layout)
        self.image_size = tuple(image_size)
        self.rules = rules or TrackingRules()
        sigmas = self.layout.oks_sigmas or (DEFAULT_SIGMA,) * self.layout.num_joints
        self._sigmas = np.asarray(sigmas, np.float64)
        self._reset()

    def _reset(self) -> None:
        self._people: list[Person] = []  # known and newcomers
        self._gone: list[Person] = []  # given up; their tracks are complete
        self._next_id = 1
        self._times: list[float] = []
        self._last_frame = -1

    def update(self, detections: Detections, frame_index: int, time: float) -> np.ndarray:
        """Take the people found in the next frame.

        Args:
            detections: The people, in any order; the result does not hang on it.
            frame_index: Which frame of the recording; rises from call to call.
            time: Its time in seconds; rises likewise.

        Returns:
            ``[M]`` int64: the track of each detection; -1 for what was ignored (too weak, found
            twice) and for newcomers not confirmed yet (their first frames are in the track).

        Raises:
            ShapeError: The frame is not later than the last one, or the joints are not those
                of the layout.
        """
        self._check(detections, frame_index, time)
        owners = self._assign(detections, float(time))
        self._times.append(float(time))
        self._last_frame = int(frame_index)
        ids = np.full(len(detections), -1, np.int64)
        for row, person in sorted(owners.items(), key=lambda pair: pair[1].born_at):
            person.see(detections, row, frame_index, float(time), self.rules.velocity_memory)
            self._confirm(person, self.rules.min_duration)
            ids[row] = -1 if person.track_id is None else person.track_id
        self._retire(float(time))
        return ids

    def finish(self) -> list[PoseTrack]:
        """End the recording; the tracker is as new afterwards.

        Returns:
            The tracks by id: everyone followed for ``min_duration`` (or half of a shorter
            recording), seen in at least half of those frames, with a mean detection score of
            at least ``min_mean_score`` and joints of at least ``min_joint_confidence``.
        """
        span = self._times[-1] - self._times[0] if self._times else 0.0
        for person in self._people:
            self._confirm(person, min(self.rules.min_duration, span / 2))
        people = [person for person in self._gone + self._people if person.track_id is not None]
        tracks = [person.to_track() for person in people if self._is_credible(person)]
        self._reset()
        return sorted(tracks, key=lambda track: track.track_id)

    def _is_credible(self, person: Person) -> bool:
        sure = person.joint_confidence() >= self.rules.min_joint_confidence
        return sure and np.mean(person.scores) >= self.rules.min_mean_score

    def _check(self, detections: Detections, frame_index: int, time: float) -> None:
        if detections.joints.shape[1] != self.layout.num_joints:
            raise ShapeError(
                f"expected detections [M, N={self.layout.num_joints}, 3] of layout "
                f"{self.layout.name!r}, got {list(detections.joints.shape)}"
            )
        last = self._times[-1] if self._times else -math.inf
        if frame_index <= self._last_frame or not last < time < math.inf:
            raise ShapeError(
                f"expected a frame later than {self._last_frame} at {last} s, got {frame_index} "
                f"at {time} s; call finish() between recordings"
            )

    def _assign(self, found: Detections, time: float) -> dict[int, Person]:
        """Whose each detection is; newcomers are added to the people."""
        rules = self.rules
        rows = self._usable(found)
        confident = [row for row in rows if found.scores[row] >= rules.high_score]
        weak = [row for row in rows if found.scores[row] < rules.high_score]
        known = [person for person in self._people if person.track_id is not None]
        newcomers = [person for person in self._people if person.track_id is None]
        recent = [person for person in known if self._is_recent(person, time)]
        lost = [person for person in known if not self._is_recent(person, time)]

        owners: dict[int, Person] = {}
        for people, candidates, compare, least in (
            (known, confident, self._compare, rules.min_similarity),
            (recent, weak, self._compare, rules.min_weak_similarity),
            (newcomers, confident, self._compare, rules.min_similarity),
            (lost, confident, self._compare_place, rules.min_place_similarity),
        ):
            if people is newcomers or people is lost:
                candidates = self._without_second_views(found, candidates, owners)
            _claim(owners, people, candidates, lambda p, r, c=compare: c(p, found[r], time), least)
        for row in self._without_second_views(found, confident, owners):
            if found.scores[row] >= rules.birth_score:
                owners[row] = Person(born=time, born_at=len(self._times))
                self._people.append(owners[row])
        return owners

    def _usable(self, found: Detections) -> list[int]:
        """Rows worth following, best first, without people found twice."""
        boxes = np.asarray(found.boxes, np.float64)
        usable = np.isfinite(boxes).all(axis=1) & (found.scores >= self.rules.low_score)
        usable &= box_area(np.nan_to_num(boxes)) > 0
        # an order of their own, so that the estimator's order does not matter
        keys = (*found.joints[:, :, 0].T, *boxes.T, -found.scores)
        order = [int(row) for row in np.lexsort(keys) if usable[row]]
        if len(order) < 2:
            return order
        alike = self._compare_within(found[order])
        kept: list[int] = []
        for row in range(len(order)):
            if not (alike[row, kept] >= self.rules.same_pose).any():
                kept.append(row)
        return [order[row] for row in kept]

    def _without_second_views(self, found: Detections, rows: list[int], owners) -> list[int]:
        """The unclaimed rows that do not show somebody who was already claimed."""
        free, taken = [row for row in rows if row not in owners], list(owners)
        if not free or not taken:
            return free
        alike = self._compare_within(found[free + taken])[: len(free), len(free):]
        seen_twice = (alike >= self.rules.second_view).any(axis=1)
        return [row for row, twice in zip(free, seen_twice, strict=True) if not twice]

    def _compare_within(self, found: Detections) -> np.ndarray:
        """``[M, M]`` pose similarity in one frame, on the scale of the smaller person."""
        area = BODY_SHARE * box_area(np.asarray(found.boxes, np.float64))
        joints = np.asarray(found.joints, np.float64)
        return pose_similarity(joints, joints, np.minimum.outer(area, area), self._sigmas)[0]

    def _compare(self, people: list[Person], found: Detections, time: float) -> np.ndarray:
        """``[P, M]`` likeness of pose and box, moving on or standing still: whichever fits."""
        outlook = look_ahead(people, time, self.rules.coasting)
        likeness = np.maximum(
            self._compare_at(*outlook.moved(), outlook, found),
            self._compare_at(outlook.joints, outlook.boxes, outlook, found),
        )
        recent = np.array([self._is_recent(person, time) for person in people])
        return likeness * np.where(recent, 1.0, self.rules.lost_weight)[:, None]

    def _compare_at(self, joints, boxes, outlook: Outlook, found: Detections) -> np.ndarray:
        found_boxes = np.asarray(found.boxes, np.float64)
        area = BODY_SHARE * np.sqrt(np.outer(box_area(boxes), box_area(found_boxes)))
        # limbs move by themselves, and a fast body may stop or turn
        speed = self.rules.limb_speed * body_size(boxes) + 0.5 * outlook.speed
        slack = speed * np.minimum(outlook.gaps, 0.5)
        alike, compared = pose_similarity(
            joints, np.asarray(found.joints, np.float64), area, self._sigmas, slack[:, None]
        )
        overlap = box_iou(boxes, found_boxes)
        return np.where(compared > 0, 0.5 * (alike + overlap), overlap)

    def _compare_place(self, people: list[Person], found: Detections, time: float) -> np.ndarray:
        """``[P, M]`` likeness of place and size, for people who were out of sight."""
        outlook = look_ahead(people, time, self.rules.coasting)
        boxes, found_boxes = outlook.moved()[1], np.asarray(found.boxes, np.float64)
        size, found_size = body_size(boxes), body_size(found_boxes)
        step = box_centre(boxes)[:, None] - box_centre(found_boxes)[None]
        reach = (0.2 + self.rules.drift_speed * outlook.gaps) * size
        nearness = np.exp(-np.square(step).sum(axis=-1) / (2 * np.square(reach))[:, None])
        ratio = size[:, None] / found_size[None]
        return nearness * np.minimum(ratio, 1 / ratio)

    def _confirm(self, person: Person, duration: float) -> None:
        """Give an identity to whoever was followed long and densely enough."""
        possible = len(self._times) - person.born_at
        # rounding must not decide: 0.1 + 0.2 > 0.3
        long_enough = person.seen - person.born >= duration - 1e-6
        if person.track_id is None and long_enough and 2 * len(person.frames) >= possible:
            person.track_id, self._next_id = self._next_id, self._next_id + 1

    def _is_recent(self, person: Person, time: float) -> bool:
        """Seen just now: in one of the last two frames before ``time``, or shortly before."""
        earlier = [at for at in self._times[-3:] if at < time]
        return person.seen >= min(earlier[-2:], default=time) or (
            time - person.seen <= self.rules.recent
        )

    def _retire(self, time: float) -> None:
        """Give up whoever stayed away too long or left over the edge of the image."""
        staying = []
        for person in self._people:
            known = person.track_id is not None
            if self._is_recent(person, time) or (known and self._may_return(person, time)):
                staying.append(person)
            elif known:
                self._gone.append(person)
        self._people = staying

    def _may_return(self, person: Person, time: float) -> bool:
        outlook = look_ahead([person], time, self.rules.coasting)
        centre = box_centre(outlook.moved()[1])[0]
        inside = (centre > 0).all() and (centre < self.image_size).all()
        return bool(inside) and outlook.gaps[0] <= self.rules.max_gap


def _claim(
    owners: dict[int, Person],
    people: list[Person],
    rows: list[int],
    compare: Callable[[list[Person], list[int]], np.ndarray],
    least: float,
) -> None:
    """Pair the people without a detection with the rows without a person, for the best total."""
    busy = set(map(id, owners.values()))
    people = [person for person in people if id(person) not in busy]
    rows = [row for row in rows if row not in owners]
    if not people or not rows:
        return
    likeness = compare(people, rows)
    allowed = np.where(likeness >= least, likeness, 0.0)
    for person, row in zip(*linear_sum_assignment(allowed, maximize=True), strict=True):
        if allowed[person, row] > 0:
            owners[rows[row]] = people[person]
