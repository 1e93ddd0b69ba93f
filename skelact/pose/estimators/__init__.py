"""Pose estimators behind one protocol."""

from skelact.pose.estimators.base import Detections, PoseEstimator
from skelact.pose.estimators.choice import choose_estimator

__all__ = ["Detections", "PoseEstimator", "choose_estimator"]
