"""Pictures with their ground truth: decoded, resized, kept."""

import threading
from dataclasses import dataclass

import numpy as np

from .errors import UserError
from .labels import IGNORED
from .pictures import read_picture


@dataclass
class Example:
    pixels: np.ndarray  # [height, width, 3] bytes, red, green, blue
    labels: np.ndarray  # [height, width] bytes, IGNORED without ground truth

    @property
    def size(self):
        """(width, height)"""
        return self.labels.shape[1], self.labels.shape[0]


class SamplingAxis:
    """Where each new row or column comes from: two old ones and the second's weight of 256; the nearest, -1 outside.

    step: old ones per new one; offset: the old coordinate at which the new picture begins. (Sources/SegNetData/Example+Resizing.swift)
    """

    def __init__(self, count, old, step=1.0, offset=0.0, is_flipped=False):
        new = np.arange(count, dtype=np.float64)
        if is_flipped:
            new = count - 1 - new
        at = (new + 0.5) * step - 0.5 + offset
        inside = (at > -0.5001) & (at < old - 0.4999)
        clamped = np.clip(at, 0, old - 1)
        self.low = clamped.astype(np.int64)
        self.high = np.minimum(self.low + 1, old - 1)
        self.weight = ((clamped - self.low) * 256).astype(np.int32)
        self.nearest = np.where(inside, np.floor(clamped + 0.5).astype(np.int64), -1)


def resized(example, width, height):
    """Pixels bilinearly, labels by the nearest."""
    columns = SamplingAxis(width, example.size[0], example.size[0] / width)
    rows = SamplingAxis(height, example.size[1], example.size[1] / height)
    pixels, u, v = example.pixels.astype(np.int32), columns.weight[None, :, None], rows.weight[:, None, None]

    def row_of(rows_):
        part = pixels[rows_]
        return part[:, columns.low] * (256 - u) + part[:, columns.high] * u

    mixed = (row_of(rows.low) * (256 - v) + row_of(rows.high) * v + 32768) >> 16
    labels = example.labels[np.maximum(rows.nearest, 0)][:, np.maximum(columns.nearest, 0)]
    outside = (rows.nearest < 0)[:, None] | (columns.nearest < 0)[None, :]
    return Example(mixed.astype(np.uint8), np.where(outside, IGNORED, labels).astype(np.uint8))


def read_example(dataset, sample):
    """Decodes picture and labels, and resizes both where the data set has a size."""
    pixels, labels = read_picture(sample.image), dataset.labels(sample.label)
    if labels.shape != pixels.shape[:2]:
        raise UserError(f"{sample.label}: is {labels.shape[1]}x{labels.shape[0]}, but its picture {sample.image} is "
                        f"{pixels.shape[1]}x{pixels.shape[0]}; labels must have the picture's size. Export them again.")
    example = Example(pixels, labels)
    return resized(example, *dataset.size) if dataset.size and dataset.size != example.size else example


class ExampleCache:
    """Decoded examples, as many as fit: the first ones that come stay."""

    def __init__(self, megabytes):
        self.left = megabytes << 20
        self.examples = {}
        self.lock = threading.Lock()

    def read(self, dataset, sample):
        if sample in self.examples:
            return self.examples[sample]
        example = read_example(dataset, sample)
        size = example.pixels.nbytes + example.labels.nbytes
        with self.lock:
            if sample not in self.examples and size <= self.left:
                self.left -= size
                self.examples[sample] = example
        return example
