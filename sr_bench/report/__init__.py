"""Views over records: they lay out what was measured and judged, and compute nothing."""
