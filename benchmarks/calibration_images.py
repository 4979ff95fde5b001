"""Draw the calibration images of `photos` that no free photograph stands for.

Run: python benchmarks/calibration_images.py [--out datasets/photos]

Text, strong texture, facades, saturated colours, night, smooth sky, graphics and vivid shapes,
each 240 x 240 pixels of RGB. All arithmetic is in integers, and shapes are drawn without smoothing
at three times the size, so the pixels are the same everywhere with one opencv; the files in the
repository, whose digests are in SHA256SUMS beside them, are what counts where another one draws a
glyph otherwise.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

SIDE, TIMES = 240, 3
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
VIVID = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0))
CHART = (
    (31, 119, 180),
    (255, 127, 14),
    (44, 160, 44),
    (214, 39, 40),
    (148, 103, 189),
    (60, 60, 60),
)
MIXED = ((255, 128, 0), (128, 0, 255), (0, 128, 128), (230, 30, 80), (20, 90, 40), (250, 220, 190))
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX)
LINES = (
    "Every number is a test 0123456789",
    "the quick brown fox jumps over",
    "PSNR 37.65 dB, SSIM 0.9586 (x2)",
    "Lazy dogs; sphinx of black quartz!",
)


def canvas(colour: tuple[int, int, int]) -> Image:
    """Return an image of one colour, in the size that is drawn in."""
    return np.full((SIDE * TIMES, SIDE * TIMES, 3), colour, np.uint8)


def shrunk(image: Image) -> Image:
    """Return `image` at its final size: each pixel the mean of 3 x 3, halves upward."""
    blocks = image.reshape(SIDE, TIMES, SIDE, TIMES, 3).astype(np.int64)
    return ((2 * blocks.sum((1, 3)) + TIMES**2) // (2 * TIMES**2)).astype(np.uint8)


def bits(height: int, width: int, seed: int) -> NDArray[np.int64]:
    """Return integers from 0 to 255 that look random, by a linear congruence for each pixel."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint64)
    state = rows * np.uint64(0x9E3779B97F4A7C15) + columns * np.uint64(0xC2B2AE3D27D4EB4F)
    state += np.full(state.shape, seed, np.uint64) * np.uint64(0x165667B19E3779F9)
    for shift in (29, 32, 31):  # each bit reaches all others
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(0xBF58476D1CE4E5B9)
    return (state >> np.uint64(56)).astype(np.int64)


def blocks_of(values: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Return `values`, each as a square of `side` pixels."""
    return np.kron(values, np.ones((side, side), np.int64))


def text() -> Image:
    """Return lines of text in several sizes: black on white, white on black, in colours."""
    image = canvas(WHITE)
    image[SIDE * TIMES // 2 :] = BLACK
    y, size = 0, SIDE * TIMES
    for number in range(40):
        font = FONTS[number % len(FONTS)]
        scale = (7 + 4 * (number % 5)) / 8
        colour = BLACK if y < size // 2 - 40 else WHITE
        if number % 5 == 4:
            colour = (VIVID + MIXED)[number // 5 % 12]
        y += int(36 * scale) + 6
        cv2.putText(image, LINES[number % len(LINES)], (4, y), font, scale, colour, 1 + number % 3)
        if y > size:
            break
    return shrunk(image)


def texture() -> Image:
    """Return strong contrast in sixteen patches: gratings, checks, noise of several widths."""
    side = SIDE * TIMES // 4
    image = canvas(BLACK)
    rows, columns = np.mgrid[:side, :side]
    for number in range(16):
        width = TIMES * (1 + number % 4)  # of a stripe: 1 to 4 pixels at the end
        if number < 8:
            slope = (columns, rows, columns + rows, 2 * columns - rows)[number // 2 % 4]
            patch = (slope // width) % 2 * 255
        elif number < 12:
            patch = ((rows // width + columns // width) % 2) * 255
        else:
            noise = bits(side // width + 1, side // width + 1, number)
            patch = blocks_of(np.where(noise > 127, 255, 0), width)[:side, :side]
        top, left = number // 4 * side, number % 4 * side
        image[top : top + side, left : left + side] = 20 + patch[..., None] * 215 // 255
    return shrunk(image)


def facade() -> Image:
    """Return rows of windows that come nearer: bright frames around dark panes, and railings."""
    image = canvas((168, 150, 130))
    y, size, height = 0, SIDE * TIMES, 24
    while y < size:
        width = height * 2 // 3
        for number, x in enumerate(range(0, size, width + 6), start=7 * y):
            frame = (x, y, width, height)
            pane = (8, 12, 20) if bits(1, 1, number)[0, 0] > 60 else (250, 246, 225)
            cv2.rectangle(image, frame, (252, 252, 248), -1)
            cv2.rectangle(image, (x + 4, y + 4, width - 8, height - 8), pane, -1)
            cv2.line(image, (x + width // 2, y), (x + width // 2, y + height), WHITE, 2)
        y += height + 8
        image[y - 8 : y - 4, ::6] = 12
        height = height * 5 // 4
    return shrunk(image)


def colours() -> Image:
    """Return each vivid colour and mixed ones, plain and shaded, with soft edges."""
    side = SIDE // 6
    tones = np.array(VIVID + MIXED)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    row, column = rows // side, columns // side
    at = np.where(row < 4, (row * 6 + column) % 12, 11 - (row * 6 + column) % 12)
    # From the middle of a patch to its edge: 0 in the outermost pixels, 8 further in.
    edge = np.minimum(
        np.minimum(rows % side, columns % side),
        side - 1 - np.maximum(rows % side, columns % side),
    )
    part = np.minimum(edge, 8)[..., None]
    shaded = row // 2 == 1
    light = np.where(shaded, rows % side * 255 // (side - 1), 255)[..., None]
    image = (tones[at] * light // 255 * part + 128 * (8 - part)) // 8
    return image.astype(np.uint8)


def night() -> Image:
    """Return a dark scene with grain, small lamps in many colours, and their glow."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image = np.repeat((4 + rows * 14 // SIDE + bits(SIDE, SIDE, 1) // 64)[..., None], 3, axis=2)
    image[..., 2] += 6
    for number in range(36):
        y, x, kind = (int(bits(1, 1, 100 + 3 * number + i)[0, 0]) for i in range(3))
        squared = (rows - y * SIDE // 256) ** 2 + (columns - x * SIDE // 256) ** 2
        lamp = np.array((VIVID + MIXED + (WHITE,) * 4)[kind % 16])
        core = squared[..., None] <= kind % 4
        image += lamp * 40 // (40 + 6 * squared[..., None]) + np.where(core, 255, 0)
    return np.minimum(image, 255).astype(np.uint8)


def sky() -> Image:
    """Return a smooth sky from blue over white to orange, with a soft cloud."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    stops = np.array(((40, 90, 190), (150, 190, 235), (245, 240, 230), (250, 170, 90)))
    part = rows * 3
    index, rest = part // SIDE, (part % SIDE)[..., None]
    image = (stops[index] * (SIDE - rest) + stops[np.minimum(index + 1, 3)] * rest) // SIDE
    squared = ((columns - 130) ** 2 + 3 * (rows - 80) ** 2)[..., None]
    cloud = np.maximum(0, 9000 - squared)
    return ((image * (9000 - cloud // 2) + 255 * (cloud // 2)) // 9000).astype(np.uint8)


def graphics() -> Image:
    """Return a chart and icons: thin lines, grids, filled shapes in usual colours on white."""
    image = canvas(WHITE)
    size = SIDE * TIMES
    for at in range(0, size, 48):
        cv2.line(image, (at, 0), (at, size), (210, 210, 210), 2)
        cv2.line(image, (0, at), (size, at), (210, 210, 210), 2)
    for number, colour in enumerate(CHART):
        heights = bits(1, 16, number)[0] * size // 512 + number * 60
        points = np.stack((np.arange(16) * 48, heights), 1).astype(np.int32)
        cv2.polylines(image, [points], False, colour, 3 + number % 4)
        centre = (40 + number % 6 * 124, 520 + number // 6 * 130)
        if number % 3:
            cv2.circle(image, centre, 44, colour, -1 if number % 2 else 8)
        else:
            cv2.rectangle(image, (centre[0] - 38, centre[1] - 38, 76, 76), colour, -1)
        cv2.circle(image, centre, 20, BLACK if number % 2 else WHITE, 6)
    return shrunk(image)


def vivid() -> Image:
    """Return bars, rings, lines and discs of vivid colours with hard edges on each other."""
    side = SIDE * TIMES // 6
    image = canvas(WHITE)
    grounds = (WHITE, BLACK, (128, 128, 128), *VIVID)
    for number in range(36):
        top, left = (side * at for at in divmod(number, 6))
        colour = (VIVID + MIXED)[(7 * number + left // side) % 12]
        cv2.rectangle(image, (left, top, side, side), grounds[(5 * number + top // side) % 9], -1)
        middle = (left + side // 2, top + side // 2)
        for step in range(4):
            at = 8 + 28 * step
            if number % 4 == 0:
                bar = (left + at, top + 20 + 18 * step, 16, side - 30 - 18 * step)
                cv2.rectangle(image, bar, colour, -1)
            elif number % 4 == 2 and step < 3:
                ends = (left + 4, top + at), (left + side - 6, top + at + 30)
                cv2.line(image, *ends, colour, 3 + 2 * step)
        if number % 2:
            cv2.circle(image, middle, side // 3, colour, 6 if number % 4 == 1 else -1)
    return shrunk(image)


DRAWINGS: tuple[Callable[[], Image], ...] = (
    text,
    texture,
    facade,
    colours,
    night,
    sky,
    graphics,
    vivid,
)


def drawn() -> Iterator[tuple[str, Image]]:
    """Yield the name of each file, and its pixels."""
    for draw in DRAWINGS:
        yield f"drawn_{draw.__name__}.png", draw()


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("datasets/photos"))
    args = parser.parse_args()
    for name, image in drawn():
        ok, content = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if not ok:
            msg = f"{name}: opencv can't write it"
            raise SystemExit(msg)
        (args.out / name).write_bytes(content.tobytes())
        print(name, len(content))


if __name__ == "__main__":
    main()
