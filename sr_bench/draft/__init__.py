"""Draft a card.toml for a document: what its tables and the files beside it say, and what is open.

Nothing of what is read is run. `folder` finds the files, `scripts` (with `operations`) and
`build_files` read them. `models` splits the rows by scale, `networks` counts, `evaluations` joins
the images that `datasets` tells and the protocol that `choices` settles. `doubts` and `unread`
collect what is open, `cards` writes.
"""
