"""Recordings: outputs of a device in, files by their digest out; and back where there is none."""
