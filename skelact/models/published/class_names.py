"""Names of classes that published weights number, where no data set of ours has them."""

HAND_GESTURES = (
    "Doing other things", "Drumming Fingers", "No gesture", "Pulling Hand In",
    "Pulling Two Fingers In", "Pushing Hand Away", "Pushing Two Fingers Away",
    "Rolling Hand Backward", "Rolling Hand Forward", "Shaking Hand", "Sliding Two Fingers Down",
    "Sliding Two Fingers Left", "Sliding Two Fingers Right", "Sliding Two Fingers Up", "Stop Sign",
    "Swiping Down", "Swiping Left", "Swiping Right", "Swiping Up", "Dislike", "Like",
    "Turning Hand Clockwise", "Turning Hand Counterclockwise", "Zooming In With Full Hand",
    "Zooming In With Two Fingers", "Zooming Out With Full Hand", "Zooming Out With Two Fingers",
    "Call", "Fist", "Four", "Mute", "OK", "One", "Palm", "Peace", "Rock", "Three-Middle",
    "Three-Left", "Two Up", "No Gesture",
)
"""Of pyskl's hand gestures: names of Jester and of HaGRID. Its published weights were trained on
HaGRID alone, so that they know only "Stop Sign", "Dislike", "Like" and those from "Call" on: the
still ones. The others have no weight of their own and are never named with certainty."""
