"""What a number means: a claim or limits and a measurement in; a `Verdict` out. Pure functions."""
