"""What ``sr-bench export`` writes of a run: a module for each format, named like it.

Each offers ``render(session: PastSession, source: str) -> str``, where `source` is the address of
the run's report, or empty.
"""
