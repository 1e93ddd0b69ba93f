"""Pose estimators behind one protocol."""
