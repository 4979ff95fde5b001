"""Counting rules: how the counts of one forward pass become a printed Flops number."""
