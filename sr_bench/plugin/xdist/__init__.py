"""Sessions of several workers (pytest-xdist)."""
