"""Lines of text: what a session and the commands print."""
