"""The HTML report: one static folder that opens from the disk, without server and network.

`build` is the way in. A run's records become subjects (what pages are about) and galleries (their
kept images); `model`, `overview` and `trend` make each page's content, `render` its HTML.
"""
