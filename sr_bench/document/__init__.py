"""Markdown documents: text in; tables, cells and claims with their places out, and edits."""
