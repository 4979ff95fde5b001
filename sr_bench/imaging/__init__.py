"""Tools on images: files, colour, geometry, layout, resizing and filters."""
