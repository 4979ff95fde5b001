"""Image metrics: SR and HR pixels in, a number out; the file name is the name of the metric.

SR and HR have one shape, height x width x channels (1 to 4), uint8 or floating point;
``data_range`` is their white level, and ``threads`` what a score may use, which never moves it.

A module declares its unit, direction and headers as ``INFO``, and computes it with ``score(sr, hr,
*, data_range, threads)``. It is read to know what a README's columns mean, so its imports for
computing stand in ``score``. A metric that needs optional files has ``absent()``, which says what
to do.
"""
