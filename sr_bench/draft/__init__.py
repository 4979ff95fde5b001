"""Draft a card.toml for a document: what its tables and the files beside it say, and what is open.

Nothing of what is read is run. A module reads each kind of file: `documents`, `scripts` (with
`operations`), `build_files`; `folder` finds them. `choices` settles what they say about a protocol,
`models` binds the rows, `networks` counts, `cards` writes.
"""
