"""Median frequency balancing (Sources/SegNetData/ClassFrequencies.swift; Eigen and Fergus, arXiv 1411.4734)."""

import math
from pathlib import Path

import numpy as np

from . import class_tables
from .errors import UserError
from .labels import IGNORED

# The authors' prototxts have these, for CamVid's 11 classes in their order.
AUTHORS = [0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614]


class Frequencies:
    """Pixels of each class, and all pixels, void included, of the pictures that show it."""

    def __init__(self, count):
        self.pixels = np.zeros(count, np.int64)
        self.of_pictures = np.zeros(count, np.int64)
        self.pictures = 0
        self.all_pixels = 0

    def add(self, labels):
        counts = np.bincount(labels.ravel(), minlength=IGNORED + 1)[: len(self.pixels)]
        self.pixels += counts
        self.of_pictures += np.where(counts > 0, labels.size, 0)
        self.pictures += 1
        self.all_pixels += labels.size


def median_weights(frequencies):
    """median(f) / f over the classes that occur; 0 for one that never does."""
    present = sorted(frequency for frequency in frequencies if frequency > 0)
    if not present:
        return [0.0] * len(frequencies)
    middle = len(present) // 2
    median = present[middle] if len(present) % 2 else (present[middle - 1] + present[middle]) / 2
    return [median / frequency if frequency > 0 else 0.0 for frequency in frequencies]


def of_pool(parts):
    """parts: (frequencies, share, named classes or None) of each source. The pixels of a source count for its share of a batch, whatever the
    size of its pictures. A class counts in the sources that can name it; only if it occurs in none of them, in those where it occurs all
    the same."""
    if len(parts) == 1:
        only = parts[0][0]
        return median_weights([own / all if all else 0.0 for own, all in zip(only.pixels.tolist(), only.of_pictures.tolist())])

    def frequency(id, is_counted):
        own = all = 0.0
        for found, share, named in parts:
            if is_counted(named):
                each = share / max(1, found.all_pixels)
                own += each * float(found.pixels[id])
                all += each * float(found.of_pictures[id])
        return own / all if all > 0 else 0.0

    return median_weights([
        frequency(id, lambda named: named is None or id in named) or frequency(id, lambda named: True)
        for id in range(len(parts[0][0].pixels))
    ])


def of_recipe(recipe, pool, shares, read_ahead):
    """(one weight per class, notes); shares: of the sources over the whole training; read_ahead: gives results of a function in order."""
    table = pool.sources[0].dataset.table
    weights, notes = [1.0] * len(table.classes), []
    if recipe.class_weights == "authors":
        if table.classes != class_tables.CAMVID.classes:
            raise UserError(f"class-weights: 'authors' are eleven weights for CamVid's 11 classes, this data set has {len(table.classes)}; "
                            "use auto or none.")
        weights = AUTHORS
    elif recipe.class_weights == "auto":
        parts = []
        for source, share in zip(pool.sources, shares):
            samples = source.samples
            if len(samples) > 2000:
                samples = samples[:: len(samples) // 1000]
            found = Frequencies(len(table.classes))
            for labels in read_ahead(source.dataset.labels, [sample.label for sample in samples]):
                found.add(labels)
            parts.append((found, share, source.named))
        weights = of_pool(parts)
        shown = sum(part[0].pixels for part in parts) > 0
        absent = [name for name, is_shown in zip(table.classes, shown) if not is_shown]
        notes.append(f"class weights: median frequency over the {sum(shown)} classes that occur in {sum(part[0].pictures for part in parts)} "
                     "pictures.")
        if absent:
            notes.append(f"no training pixel shows {', '.join(absent)}; the model cannot learn it.")
    elif recipe.class_weights != "none":
        weights = read_weights(recipe.class_weights, table.classes)
    return [float(np.float32(weight) ** np.float32(recipe.class_weight_power)) if weight else 0.0 for weight in weights], notes


def read_weights(path, classes):
    """One line per class, "name weight", in any order."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"class-weights: '{path}' is neither auto, authors, none nor a file that can be read.") from error
    found = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            weight = float(words[-1])
        except ValueError:
            weight = -1
        if len(words) < 2 or not (weight >= 0 and math.isfinite(weight)):
            raise UserError(f"{path}, line {number}: '{line}' is not \"class weight\" with a weight of at least 0.")
        name = " ".join(words[:-1])
        known = next((other for other in classes if other.lower() == name.lower()), None)
        if known is None:
            raise UserError(f"{path}, line {number}: there is no class '{name}'; the classes are {', '.join(classes)}.")
        found[known] = weight
    missing = [name for name in classes if name not in found]
    if missing:
        raise UserError(f"{path}: gives no weight for {', '.join(missing)}.")
    return [found[name] for name in classes]
