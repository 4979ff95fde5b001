"""Run it: a `Case` in; a `Run` out, with the result of each image, kept by content."""
