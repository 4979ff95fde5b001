"""Tools on images: files in, uint8 or float arrays out; colour, geometry, resizing and filters."""
