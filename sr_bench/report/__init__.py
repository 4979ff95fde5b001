"""Views over records: they lay out what was measured and judged, and compute nothing.

In comes a run: its records, and for trends the history of earlier ones. Out go lines for a
terminal, pages in Markdown and HTML, tables for other programs, and what GitHub shows.
"""
