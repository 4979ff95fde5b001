"""Sessions of several workers (pytest-xdist): who runs which item, and one terminal for all."""
