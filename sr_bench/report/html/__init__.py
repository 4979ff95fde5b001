"""The HTML report: one static folder that opens from the disk, without server and network."""
