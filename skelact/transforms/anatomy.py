"""Which joints follow from others: the rules behind `skelact.transforms.remap`."""

_MIDDLE: dict[str, list[dict[str, float]]] = {
    "neck": [{"left_shoulder": 0.5, "right_shoulder": 0.5}],
    "pelvis": [{"left_hip": 0.5, "right_hip": 0.5}],
    "spine": [{"spine2": 1.0}, {"neck": 0.5, "pelvis": 0.5}],
    "spine1": [{"pelvis": 0.75, "neck": 0.25}],
    "spine2": [{"spine": 1.0}, {"pelvis": 0.5, "neck": 0.5}],
    "spine3": [{"pelvis": 0.25, "neck": 0.75}],
    "upper_neck": [{"neck": 0.5, "head": 0.5}],
    "head": [
        {"left_ear": 0.5, "right_ear": 0.5},
        {"left_eye": 0.5, "right_eye": 0.5},
        {"nose": 1.0},
        {"head_top": 1.0},
    ],
    "nose": [{"head": 1.0}],
}
_SIDED: dict[str, list[dict[str, float]]] = {
    "{}_wrist": [{"{}_hand_root": 1.0}],
    "{}_hand_root": [{"{}_wrist": 1.0}],
    "{}_hand": [
        {"{}_wrist": 1 / 3, "{}_index": 1 / 3, "{}_pinky": 1 / 3},
        {"{}_wrist": 1 / 3, "{}_forefinger1": 1 / 3, "{}_pinky_finger1": 1 / 3},
    ],
    "{}_hand_tip": [{"{}_middle_finger4": 1.0}],
    "{}_thumb": [{"{}_thumb4": 1.0}],
    "{}_index": [{"{}_forefinger1": 1.0}],
    "{}_pinky": [{"{}_pinky_finger1": 1.0}],
    "{}_foot": [
        {"{}_foot_index": 1.0},
        {"{}_big_toe": 0.5, "{}_small_toe": 0.5},
    ],
    "{}_foot_index": [{"{}_big_toe": 1.0}, {"{}_foot": 1.0}],
    "{}_big_toe": [{"{}_foot_index": 1.0}],
    "{}_collar": [{"neck": 0.5, "{}_shoulder": 0.5}],
}
_FACE = {  # the 68 face landmarks of wholebody133
    "left_eye_inner": "face-42", "left_eye_outer": "face-45", "left_mouth": "face-54",
    "right_eye_inner": "face-39", "right_eye_outer": "face-36", "right_mouth": "face-48",
}
DERIVED = {
    **_MIDDLE,
    **{
        joint.format(side): [{part.format(side): w for part, w in rule.items()} for rule in rules]
        for joint, rules in _SIDED.items()
        for side in ("left", "right")
    },
    **{joint: [{landmark: 1.0}] for joint, landmark in _FACE.items()},
}
"""Joint -> ways to derive it, best first; parts may themselves be derived."""
