"""Image metrics: the file name is the name of the metric."""
