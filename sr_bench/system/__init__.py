"""This machine: a command in, how it ended out, and no process of it left; memory in use."""
