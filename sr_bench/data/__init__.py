"""Datasets: manifests, where their files are, how they pair up, and how they are fetched."""
