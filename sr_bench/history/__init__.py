"""What a run leaves behind: its records and the environment they were made in."""
