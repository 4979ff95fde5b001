"""Image metrics: the file name is the name of the metric.

A module states what it is as ``INFO``, and computes it with ``score(sr, hr, *, data_range,
threads)``. It is read to know what a README's columns mean, so that what computes is imported in
``score``. One that needs what may be absent has ``absent()``, which says what to do.
"""
