"""One pass of the calibration images: what each tensor holds, by channel and by layer."""
