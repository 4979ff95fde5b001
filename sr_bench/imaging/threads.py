"""OpenCV's own threads, which must not multiply with ours."""

import cv2


def use_one_opencv_thread() -> None:
    """Keep OpenCV from starting threads of its own; the setting is global to the process.

    Whoever works on several images or tiles in parallel calls this once at its start: OpenCV's
    threads inside each of several workers slow all of them down. No number changes.
    """
    cv2.setNumThreads(1)
