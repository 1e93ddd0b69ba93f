"""COCO keypoints: annotations (ground truth, also of videos) and results lists, 2-D."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path, PurePosixPath

import numpy as np

from skelact.datasets.readers.base import Refuse, raise_error
from skelact.datasets.readers.each_clip import DAMAGE, describe, load_json, read_each
from skelact.datasets.readers.json_kinds import find_json
from skelact.datasets.readers.padded import layout_of
from skelact.datasets.readers.sightings import (
    Sightings,
    corner_boxes,
    frame_number,
    frame_rows,
    make_recording,
    number_rows,
    usable_ids,
    with_confidence,
)
from skelact.datasets.readers.surroundings import Labels, find_scene, read_labels
from skelact.errors import FileFormatError
from skelact.graph.layouts import Layout, builtin_layouts, get_layout
from skelact.pose.recording import Recording

OCCLUDED = 0.5
"""Confidence of a joint that was annotated though it is not visible (visibility 1)."""
_FACTS = ("label", "subject", "camera", "setup", "repetition", "splits", "fps_assumed",
          "annotations")


@dataclass(frozen=True, eq=False)
class _Clip:
    """The images of one video with their people, or one photograph."""

    file: Path
    name: str
    images: list[dict]
    people: list[dict]
    layout: Layout | None
    facts: dict
    index: np.ndarray
    """``[images]`` frame of each image."""

    def __str__(self) -> str:
        return f"{self.file}, {self.name!r}" if self.name else str(self.file)


def find_coco(path: str | Path) -> list[Path]:
    """Files at or below ``path`` of COCO's keypoint annotations or results, by content."""
    return find_json(path, "coco")


def read_coco(
    path: str | Path, refuse: Refuse = raise_error, fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Iterator[Recording]:
    """Recordings of COCO keypoint files, one a video.

    Annotations: images belong to one video by ``video_id`` (or ``vid_id``), else by the folder in
    ``file_name``; their order is that of ``frame_id``, else of the number in the file name. Images
    of different sizes, or without such numbers, are photographs: a recording of one frame each.
    Visibility 2 becomes confidence 1, 1 (occluded) 0.5, and 0 is missing, unless
    ``keypoint_scores`` stand beside. The layout is told by the names of the category's keypoints.

    Results: one video a file, with ``image_id`` as the number of the frame.

    Identity is ``track_id`` (or ``instance_id``, or among ``attributes``) where every person has
    one; else people are followed by our tracker. Labels are those of ``videos`` entries as
    `write_coco` writes them, else of ``labels.csv`` or class folders.

    Args:
        path: A file, or a folder at or above such files.
        refuse: Told of every video that is damaged.
        fps: Frames a second; by default as ``videos`` or a video beside the file say, else 30
            (assumed).
        image_size: (width, height) in pixels, for results lists.

    Raises:
        FileFormatError: There are no such files.

    Source: https://cocodataset.org/#format-data.
    """
    files = find_coco(path)
    if not files:
        raise FileFormatError(f"no COCO keypoints (JSON with images and annotations that have "
                              f"keypoints, or a list of image_id and keypoints) in {path}")
    labels = read_labels(path)
    for file in files:
        try:
            clips = _split(file)
        except DAMAGE as error:
            refuse(FileFormatError(f"{file} is no COCO keypoint file: {describe(error)}"))
            continue
        alone = (len(files) == 1, len(clips) == 1)
        yield from read_each(
            clips, lambda clip, alone=alone: _parse(clip, _facts(clip, labels, *alone), fps,
                                                    image_size),
            "a COCO recording", refuse)


def _split(file: Path) -> list[_Clip]:
    content = load_json(file)
    if isinstance(content, list):
        numbers = sorted({row["image_id"] for row in content})
        images = [{"id": number} for number in numbers]
        return [_Clip(file, "", images, content, None, {}, frame_rows(numbers))]
    layout, category = _find_layout(content.get("categories") or [])
    people: dict[int, list[dict]] = {}
    for row in content.get("annotations") or []:
        if category is None or row.get("category_id", category) == category:
            people.setdefault(row["image_id"], []).append(row)
    images = content["images"]
    ids = {image["id"] for image in images}
    if len(ids) < len(images):
        raise FileFormatError("two images have the same id")
    if strangers := set(people) - ids:
        raise FileFormatError(f"an annotation has image_id {min(strangers)!r}, which is no image")
    videos = {video["id"]: video for video in content.get("videos") or []}
    ordered = sorted(images, key=lambda image: str(_video_of(image)))
    return [clip for video, group in groupby(ordered, key=_video_of)
            for clip in _clips_of(file, video, list(group), people, layout, videos.get(video, {}))]


def _clips_of(file, video, images, people, layout, facts) -> Iterator[_Clip]:
    """One clip of a video, or one of every photograph."""
    index = _frame_order(images)
    sizes = {(image.get("width"), image.get("height")) for image in images}
    if index is not None and len(sizes) == 1:
        order = np.argsort(index)
        images = [images[i] for i in order]
        found = [row for image in images for row in people.get(image["id"], [])]
        yield _Clip(file, str(facts.get("name", video)), images, found, layout, facts, index[order])
        return
    for image in images:
        name = str(PurePosixPath(str(image.get("file_name", image["id"]))).with_suffix(""))
        yield _Clip(file, name, [image], people.get(image["id"], []), layout, {},
                    np.zeros(1, np.int64))


def _video_of(image: dict):
    for key in ("video_id", "vid_id"):
        if key in image:
            return image[key]
    parent = str(PurePosixPath(str(image.get("file_name", ""))).parent)
    return "" if parent == "." else parent


def _frame_order(images: list[dict]) -> np.ndarray | None:
    """The frame of each image, or None where nothing says one."""
    if all("frame_id" in image for image in images):
        numbers = [image["frame_id"] for image in images]
        index = frame_rows(numbers, first=0 if 0 in numbers else None)
    else:
        stems = [PurePosixPath(str(image.get("file_name", ""))).stem for image in images]
        numbers = [frame_number(stem) for stem in stems]
        if None in numbers:
            return None
        try:
            index = frame_rows(numbers)
        except FileFormatError:  # too sparse for frames
            return None
    return index if len(set(index.tolist())) == len(index) else None


def _find_layout(categories: list[dict]) -> tuple[Layout | None, int | None]:
    """The layout with the keypoints of the first category that has any, and its id."""
    for category in categories:
        if names := [str(name).lower() for name in category.get("keypoints") or []]:
            for layout in map(get_layout, builtin_layouts()):
                if names in (list(layout.joints), [s.lower() for s in layout.source_names]):
                    return layout, category["id"]
            raise FileFormatError(f"no layout has the keypoints {', '.join(names)}"[:200])
    return None, None


def _facts(clip: _Clip, labels: Labels, only_file: bool, only_clip: bool) -> dict:
    """What ``videos`` says, else what stands around the file; and a name that no other has."""
    own = {key: clip.facts[key] for key in _FACTS if key in clip.facts}
    labels = labels if "label" not in own else replace(labels, rows=None)
    around = labels.of(clip.file)
    if only_file and "name" in clip.facts:
        around["clip_id"] = clip.name
    elif not only_clip or "name" in clip.facts:
        around["clip_id"] += f"/{clip.name}"
    return around | own


def _parse(clip: _Clip, facts: dict, fps, image_size) -> Recording:
    frame_of = {image["id"]: at for image, at in zip(clip.images, clip.index.tolist(), strict=True)}
    frame = np.array([frame_of[person["image_id"]] for person in clip.people], np.int64)
    joints = _joints(clip)
    ids = usable_ids(list(map(_id_of, clip.people)), frame)
    if ids is None and len(clip.images) == 1:  # nobody to follow in a photograph
        ids = np.arange(len(frame))
    stated = clip.images[0]
    if "width" in stated:
        image_size = (int(stated["width"]), int(stated["height"]))
    scene = find_scene(clip.file, clip.facts.get("fps", fps), image_size)
    if scene.fps_assumed:
        facts["fps_assumed"] = True
    scores = [person.get("score") for person in clip.people]
    return make_recording(
        Sightings(frame, joints, ids=ids, boxes=_boxes(clip.people),
                  scores=None if None in scores or not scores else np.clip(
                      number_rows([[s] for s in scores], 1, "score")[:, 0], 0, 1)),
        layout=clip.layout or layout_of(joints.shape[1], 2), num_frames=int(clip.index[-1]) + 1,
        fps=scene.fps, timestamps=_times(clip.images, clip.index), image_size=scene.image_size,
        source=str(clip.facts.get("source", clip.file.name)),
        estimator=str(clip.facts.get("estimator", "")), labels=facts,
    )


def _joints(clip: _Clip) -> np.ndarray:
    """``[S, N, 3]`` x, y and confidence."""
    rows = [person["keypoints"] for person in clip.people]
    width = clip.layout.num_joints * 3 if clip.layout else len(rows[0]) if rows else 51
    points = number_rows(rows, width, "keypoints of person").reshape(-1, width // 3, 3)
    third = points[..., 2]
    if not clip.layout or not np.isin(third, (0, 1, 2)).all():  # results: the third is a score
        return with_confidence(points)
    lost = third == 0
    scores = [person.get("keypoint_scores") for person in clip.people]
    if scores and None not in scores:
        points[..., 2] = number_rows(scores, width // 3, "keypoint_scores of person")
    else:
        points[..., 2] = np.where(third == 1, OCCLUDED, 1.0)
    joints = with_confidence(points)
    joints[~lost, :2] = points[~lost, :2]  # a joint that is annotated may lie in the corner
    joints[lost] = (np.nan, np.nan, 0)
    return joints


def _id_of(person: dict):
    attributes = person.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    return person.get("track_id", person.get("instance_id", attributes.get("track_id")))


def _boxes(people: list[dict]) -> np.ndarray | None:
    if not people or not all("bbox" in person for person in people):
        return None
    return corner_boxes(number_rows([person["bbox"] for person in people], 4, "bbox of person"))


def _times(images: list[dict], index: np.ndarray) -> np.ndarray | None:
    """Seconds of every frame, if every frame is an image that says so."""
    if len(index) != index[-1] + 1 or not all("timestamp" in image for image in images):
        return None
    return number_rows([[image["timestamp"]] for image in images], 1, "timestamp of image")[:, 0]
