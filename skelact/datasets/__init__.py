"""Labelled skeleton data sets."""
