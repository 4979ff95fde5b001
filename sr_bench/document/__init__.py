"""Markdown documents: their tables with positions, the claims in them, and edits of one cell."""
