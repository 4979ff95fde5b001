"""What documents are written in: each module finds the tables of one dialect, cell by cell."""
