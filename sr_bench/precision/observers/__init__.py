"""What chooses clip ranges: the file name is the name of the observer."""
