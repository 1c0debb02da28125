"""Random changes of pictures that keep their meaning (Sources/SegNetData/Augmentation.swift), a batch at a time on the device.

What is drawn for a picture is a function of the seed and its place in the training, and the arithmetic is the package's, in whole numbers:
both trainers see the same bytes.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from .datasets import IGNORED
from .errors import UserError
from .examples import SamplingAxis
from .pool import augmentation_numbers
from .random_numbers import STEP


class Draws:
    """What chance decided for the example at one place."""

    def __init__(self, settings, numbers, size):
        draws = [numbers.uniform() for _ in range(8)]
        self.noise_seed = numbers.next()
        turn = numbers.uniform()
        is_flipped = settings.flip and draws[0] < 0.5
        self.width, self.height = settings.crop or size
        factor = 1.0
        if settings.scale:
            factor = settings.scale[0] * math.pow(settings.scale[1] / settings.scale[0], draws[1])

        def start(old, new, draw):
            at = draw * (old - new / factor)
            return float(math.floor(abs(at) + 0.5) * (1 if at >= 0 else -1)) if factor == 1 else at  # whole old pixels where nothing is scaled

        self.columns = SamplingAxis(self.width, size[0], 1 / factor, start(size[0], self.width, draws[2]), is_flipped)
        self.rows = SamplingAxis(self.height, size[1], 1 / factor, start(size[1], self.height, draws[3]))
        self.brightness = 1 + settings.brightness * (2 * draws[4] - 1)
        self.contrast = 1 + settings.contrast * (2 * draws[5] - 1)
        self.saturation = 1 + settings.saturation * (2 * draws[6] - 1)
        self.hue = settings.hue * (2 * turn - 1)
        self.is_blurred = draws[7] < settings.blur


@dataclass
class Prepared:
    """A batch before it is changed: what the processor does ahead of the device."""

    pixels: np.ndarray  # [B, height, width, 3] bytes, red, green, blue, each picture in the upper left corner
    labels: np.ndarray  # [B, height, width] bytes
    draws: list


class Augmentation:
    """Makes batches: pictures [B, 3, H, W] of float32, blue, green, red, 0...255, and labels [B, H, W] of int64, on a device."""

    def __init__(self, settings, seed, device):
        self.settings, self.seed, self.device = settings, seed, device

    def prepare(self, examples, places):
        draws = [Draws(self.settings, augmentation_numbers(self.seed, place), example.size) for example, place in zip(examples, places)]
        sizes = {(draw.width, draw.height) for draw in draws}
        if len(sizes) > 1:
            some = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)[:2])
            raise UserError(f"pictures of {some} cannot share a batch; train on parts of one size (augmentation: crop), or resize all "
                            "pictures (size).")
        width, height = max(example.size[0] for example in examples), max(example.size[1] for example in examples)
        pixels = np.zeros((len(examples), height, width, 3), np.uint8)
        labels = np.full((len(examples), height, width), IGNORED, np.uint8)
        for number, example in enumerate(examples):
            w, h = example.size
            pixels[number, :h, :w], labels[number, :h, :w] = example.pixels, example.labels
        return Prepared(pixels, labels, draws)

    def __call__(self, prepared):
        s, draws = self.settings, prepared.draws
        pixels, labels = self._moved(prepared.pixels), self._moved(prepared.labels)
        if s.flip or s.scale or s.crop:
            pixels, labels = self._sampled(pixels, labels, draws)
        pixels = pixels.int()
        if s.brightness > 0 or s.contrast > 0 or s.saturation > 0:
            pixels = _recolored(pixels, *self._factors(draws))
        if s.hue > 0:
            pixels = _turned(pixels, self._numbers([_hue_weights(draw.hue) for draw in draws]))
        if any(draw.is_blurred for draw in draws):
            chosen = self._moved(np.array([draw.is_blurred for draw in draws]))
            pixels = torch.where(chosen[:, None, None, None], _softened(pixels), pixels)
        if s.noise > 0:
            pixels = _noisy(pixels, [draw.noise_seed for draw in draws], s.noise)
        # Channels last in memory: the format that convolutions are fastest in.
        return pixels.flip(3).float().permute(0, 3, 1, 2), labels.long()

    def _moved(self, array):
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def _numbers(self, rows):
        return self._moved(np.array(rows, np.int32))

    def _factors(self, draws):
        """Gain, offset and saturation in 1/1024, cut off as Swift's Int32 does."""
        gain = [int(draw.brightness * draw.contrast * 1024) for draw in draws]
        offset = [int((128 - 128 * draw.contrast) * 1024) + 512 for draw in draws]
        own = [int(draw.saturation * 1024) for draw in draws]
        return [self._numbers(values)[:, None, None, None] for values in (gain, offset, own)]

    def _sampled(self, pixels, labels, draws):
        """Flip, scale and crop in one pass: bilinear pixels, nearest labels; outside black and ignored."""
        def axis(name, part):
            return self._moved(np.stack([getattr(getattr(draw, name), part) for draw in draws]))

        columns = {part: axis("columns", part) for part in ("low", "high", "weight", "nearest")}
        rows = {part: axis("rows", part) for part in ("low", "high", "weight", "nearest")}
        batch = torch.arange(len(draws), device=self.device)[:, None, None]
        u, v = columns["weight"][:, None, :, None], rows["weight"][:, :, None, None]

        def at(row, column):
            return pixels[batch, rows[row][:, :, None], columns[column][:, None, :]].int()

        top = at("low", "low") * (256 - u) + at("low", "high") * u
        bottom = at("high", "low") * (256 - u) + at("high", "high") * u
        mixed = (top * (256 - v) + bottom * v + 32768) >> 16
        inside = (rows["nearest"] >= 0)[:, :, None] & (columns["nearest"] >= 0)[:, None, :]
        found = labels[batch, rows["nearest"].clamp(min=0)[:, :, None], columns["nearest"].clamp(min=0)[:, None, :]]
        return mixed * inside[..., None], torch.where(inside, found, IGNORED)


def _gray(pixels):
    """In whole numbers, from red, green and blue."""
    return (306 * pixels[..., 0:1] + 601 * pixels[..., 1:2] + 117 * pixels[..., 2:3]) >> 10


def _recolored(pixels, gain, offset, own):
    """contrast * (brightness * x - 128) + 128, then mixed with its grey."""
    pixels = (pixels * gain + offset) >> 10
    gray = _gray(pixels)
    return (gray + (((pixels - gray) * own) >> 10)).clamp(0, 255)


def _hue_weights(degrees):
    """First and last column of the matrix that turns hues, in 1/4096; the middle one is what is left, so that greys stay."""
    c, s = math.cos(degrees * math.pi / 180), math.sin(degrees * math.pi / 180)
    first = [0.299 + 0.701 * c + 0.168 * s, 0.299 - 0.299 * c - 0.328 * s, 0.299 - 0.300 * c + 1.250 * s]
    last = [0.114 - 0.114 * c - 0.497 * s, 0.114 - 0.114 * c + 0.292 * s, 0.114 + 0.886 * c - 0.203 * s]

    def rounded(value):
        return int(math.floor(abs(value * 4096) + 0.5)) * (1 if value >= 0 else -1)

    return [rounded(value) for value in first + last]


def _turned(pixels, weights):
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]

    def mixed(channel):
        first, last = weights[:, channel, None, None], weights[:, 3 + channel, None, None]
        return (first * red + (4096 - first - last) * green + last * blue + 2048) >> 12

    return torch.stack([mixed(0), mixed(1), mixed(2)], -1).clamp(0, 255)


def _softened(pixels):
    """A 3x3 binomial filter, borders as they are."""
    if pixels.shape[1] < 3 or pixels.shape[2] < 3:
        return pixels
    sums = pixels[:, :, :-2] + 2 * pixels[:, :, 1:-1] + pixels[:, :, 2:]
    total = sums[:, :-2] + 2 * sums[:, 1:-1] + sums[:, 2:]
    result = pixels.clone()
    result[:, 1:-1, 1:-1] = (total + 8) >> 4
    return result


def _noisy(pixels, seeds, deviation):
    """Noise that is nearly Gaussian: the sum of four bytes of SplitMix64, eight bytes for two samples."""
    factor = int(deviation / 147.8 * 65536)  # four even bytes have a deviation of 147.8
    count = pixels[0].numel()
    device = pixels.device

    def wrapped(number):
        number &= (1 << 64) - 1
        return number - (1 << 64) if number >> 63 else number

    def shifted(z, bits):
        return (z >> bits) & ((1 << (64 - bits)) - 1)

    index = torch.arange(1, (count + 1) // 2 + 1, device=device, dtype=torch.int64)
    z = index * wrapped(STEP) + torch.tensor([wrapped(seed) for seed in seeds], device=device)[:, None]
    z = (z ^ shifted(z, 30)) * wrapped(0xBF58_476D_1CE4_E5B9)
    z = (z ^ shifted(z, 27)) * wrapped(0x94D0_49BB_1331_11EB)
    z = z ^ shifted(z, 31)
    halves = torch.stack([z & 0xFFFF_FFFF, shifted(z, 32)], -1).flatten(1)[:, :count]
    sums = sum((halves >> bits) & 255 for bits in (0, 8, 16, 24)).int()
    return (pixels + (((sums - 510) * factor + 32768) >> 16).view(pixels.shape)).clamp(0, 255)
