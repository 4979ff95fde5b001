"""Lines of text, which a session and the commands print, from records and results."""
