"""The nouns: what stands in a card, a claim, a case or a record, and passes between all rooms.

Frozen dataclasses of the standard library alone, which read no file and compute no score.
"""
