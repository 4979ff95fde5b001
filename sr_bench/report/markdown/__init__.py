"""Pages in Markdown: one of all families, and one for each."""
