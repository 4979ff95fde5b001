"""History: a session's records in, files out; and back: earlier runs, and a number's origin."""
