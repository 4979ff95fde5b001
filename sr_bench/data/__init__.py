"""Datasets: a manifest and image files in; pairs of HR and LR out, decoded when asked for."""
