"""Random changes of pictures that keep their meaning (Sources/SegNetData/Augmentation.swift), a batch at a time on the device.

What is drawn for a picture is a function of the seed and its place in the training, and the arithmetic is the package's, in whole numbers:
both trainers see the same bytes.
"""

import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from .errors import UserError
from .examples import SamplingAxis
from .labels import IGNORED
from .pool import augmentation_numbers
from .random_numbers import STEP, RandomNumbers


class Draws:
    """What chance decided for the example at one place."""

    def __init__(self, settings, numbers, size):
        s = settings
        draws = [numbers.uniform() for _ in range(8)]
        self.noise_seed, turn = numbers.next(), numbers.uniform()
        angle, exponent, warmth, gray, radius, jpeg, quality, erase = (numbers.uniform() for _ in range(8))
        self.erase_seed = numbers.next()
        self.size = size
        self.width, self.height = s.crop or size
        self.is_flipped = s.flip and draws[0] < 0.5
        self.factor = s.scale[0] * math.pow(s.scale[1] / s.scale[0], draws[1]) if s.scale else 1.0
        self.left, self.top = self._start(size[0], self.width, draws[2]), self._start(size[1], self.height, draws[3])
        self.degrees = s.rotation * (2 * angle - 1)
        self.is_erased = erase < s.erase
        self.brightness = 1 + s.brightness * (2 * draws[4] - 1)
        self.contrast = 1 + s.contrast * (2 * draws[5] - 1)
        self.saturation = 1 + s.saturation * (2 * draws[6] - 1)
        self.hue = s.hue * (2 * turn - 1)
        self.warmth = math.pow(1 + s.temperature, 2 * warmth - 1)
        self.exponent = math.pow(1 + s.gamma, 2 * exponent - 1)
        self.is_gray = gray < s.gray
        self.is_blurred = draws[7] < s.blur
        self.blur_deviation = 0.5 + max(0, s.blur_radius - 0.5) * radius if s.blur_radius > 0 else 0.0
        least, greatest = s.jpeg_quality
        self.quality = least + int(quality * (greatest - least + 1)) if jpeg < s.jpeg else None

    def _start(self, old, new, draw):
        """The old coordinate at which the part begins; a whole one where nothing is scaled."""
        at = draw * (old - new / self.factor)
        return math.copysign(math.floor(abs(at) + 0.5), at) if self.factor == 1 else at

    def axes(self):
        return (SamplingAxis(self.width, self.size[0], 1 / self.factor, self.left, self.is_flipped),
                SamplingAxis(self.height, self.size[1], 1 / self.factor, self.top))


@dataclass
class Prepared:
    """A batch before it is changed: what the processor does ahead of the device."""

    pixels: np.ndarray  # [B, height, width, 3] bytes, red, green, blue, each picture in the upper left corner
    labels: np.ndarray  # [B, height, width] bytes
    draws: list
    patches: list  # (number of the picture, row, column, [rows, columns, 3] bytes): what takes the place of erased rectangles
    donors: list  # (number of a picture, number of the one from which something is pasted into it); these are the last ones


class Augmentation:
    """Makes batches: pictures [B, 3, H, W] of float32, blue, green, red, 0...255, and labels [B, H, W] of int64, on a device."""

    def __init__(self, settings, seed, device, pasted_ids=()):
        """pasted_ids: the classes that `paste` copies."""
        self.settings, self.seed, self.device = settings, seed, device
        self.pasted_ids = torch.tensor(list(pasted_ids), dtype=torch.uint8, device=device)
        self.coders = ThreadPoolExecutor(min(16, os.cpu_count() or 1), "jpeg") if settings.jpeg > 0 else None

    def donor(self, pool, place):
        """(source, sample) of the picture from which something is pasted into the one at a place; None if nothing is."""
        _, choice = self._draws(place, (1, 1))
        return pool.item(place, *choice) if choice else None

    def _draws(self, place, size, donor_size=None):
        """What chance decided for the example at a place, and the choice of its donor or, given the donor's size, what it decided for that."""
        numbers = augmentation_numbers(self.seed, place)
        draws = Draws(self.settings, numbers, size)
        if self.settings.paste == 0 or numbers.uniform() >= self.settings.paste:
            return draws, None
        choice = numbers.uniform(), numbers.uniform()
        return draws, Draws(self.settings, numbers, donor_size) if donor_size else choice

    def prepare(self, examples, places, donors=()):
        """donors: (number of an example, the example from which something is pasted into it)."""
        draws = [self._draws(place, example.size)[0] for example, place in zip(examples, places)]
        draws += [self._draws(places[number], (1, 1), donor.size)[1] for number, donor in donors]
        pairs = [(number, len(examples) + index) for index, (number, _) in enumerate(donors)]
        examples = [*examples, *(donor for _, donor in donors)]
        sizes = {(draw.width, draw.height) for draw in draws}
        if len(sizes) > 1:
            some = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)[:2])
            raise UserError(f"pictures of {some} cannot share a batch; train on parts of one size (augmentation: crop), or resize all "
                            "pictures (size).")
        width, height = max(example.size[0] for example in examples), max(example.size[1] for example in examples)
        pixels = np.zeros((len(examples), height, width, 3), np.uint8)
        labels = np.full((len(examples), height, width), IGNORED, np.uint8)
        patches = []
        for number, (example, draw) in enumerate(zip(examples, draws)):
            w, h = example.size
            pixels[number, :h, :w], labels[number, :h, :w] = example.pixels, example.labels
            if draw.is_erased:
                patches += [(number, *patch) for patch in _patches(draw.erase_seed, draw.width, draw.height)]
        return Prepared(pixels, labels, draws, patches, pairs)

    def __call__(self, prepared):
        s, draws = self.settings, prepared.draws
        pixels, labels = self._moved(prepared.pixels), self._moved(prepared.labels)
        if s.flip or s.scale or s.crop or s.rotation > 0:
            grid = self._turned_grid(draws) if s.rotation > 0 else self._straight_grid(draws)
            pixels, labels = _sampled(pixels, labels, *grid)
        pixels = pixels.int()
        for number, top, left, patch in prepared.patches:
            rows, columns = slice(top, top + patch.shape[0]), slice(left, left + patch.shape[1])
            pixels[number, rows, columns] = self._moved(patch).int()
            labels[number, rows, columns] = IGNORED
        if s.brightness > 0 or s.contrast > 0 or s.saturation > 0:
            pixels = _recolored(pixels, *self._factors(draws))
        if s.hue > 0:
            pixels = _turned(pixels, self._moved(np.array([_hue_weights(draw.hue) for draw in draws], np.int32)))
        if s.temperature > 0 or s.gamma > 0:
            tables = self._moved(np.stack([_light_tables(draw) for draw in draws]))
            batch = torch.arange(len(draws), device=self.device)[:, None, None, None]
            pixels = tables[batch, torch.arange(3, device=self.device), pixels.long()]
        if any(draw.is_gray for draw in draws):
            pixels = torch.where(self._chosen(draws, "is_gray"), (_gray_sum(pixels) + 512) >> 10, pixels)
        if any(draw.is_blurred for draw in draws):
            pixels = self._blurred(pixels, draws)
        if s.noise > 0:
            pixels = _noisy(pixels, [draw.noise_seed for draw in draws], s.noise)
        if any(draw.quality is not None for draw in draws):
            pixels = self._compressed(pixels, draws)
        if prepared.donors:
            pixels, labels = self._pasted(pixels, labels, prepared.donors)
        # Channels last in memory: the format that convolutions are fastest in.
        return pixels.flip(3).float().permute(0, 3, 1, 2), labels.long()

    def _pasted(self, pixels, labels, pairs):
        """The pictures without their donors, with what these give."""
        for number, donor in pairs:
            given = torch.isin(labels[donor], self.pasted_ids)
            pixels[number] = torch.where(given[..., None], pixels[donor], pixels[number])
            labels[number] = torch.where(given, labels[donor], labels[number])
        count = pairs[0][1]
        return pixels[:count], labels[:count]

    def _moved(self, array):
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def _chosen(self, draws, name):
        return self._moved(np.array([getattr(draw, name) for draw in draws]))[:, None, None, None]

    def _factors(self, draws):
        """Gain, offset and saturation in 1/1024, cut off as Swift's Int32 does."""
        gain = [int(draw.brightness * draw.contrast * 1024) for draw in draws]
        offset = [int((128 - 128 * draw.contrast) * 1024) + 512 for draw in draws]
        own = [int(draw.saturation * 1024) for draw in draws]
        return [self._moved(np.array(values, np.int32))[:, None, None, None] for values in (gain, offset, own)]

    def _straight_grid(self, draws):
        """Old coordinates of the new rows [B, H, 1] and columns [B, 1, W]: two lines and the second's weight, the nearest; what is inside."""
        columns, rows = zip(*(draw.axes() for draw in draws))

        def line(axes, part):
            return self._moved(np.stack([getattr(axis, part) for axis in axes]))

        row, column = ([line(axes, part) for part in ("low", "high", "weight", "nearest")] for axes in (rows, columns))
        row, column = [part[:, :, None] for part in row], [part[:, None, :] for part in column]
        inside = (row[3] >= 0) & (column[3] >= 0)
        row[3], column[3] = row[3].clamp(min=0), column[3].clamp(min=0)
        return row, column, inside

    def _turned_grid(self, draws):
        """The same where the part is turned about its middle: all [B, H, W]."""
        def of_each(value):
            return self._moved(np.array([value(draw) for draw in draws], np.float64))[:, None, None]

        def coordinate(turned, offset, size):
            at = turned * step - 0.5 + offset
            inside = (at > -0.5001) & (at < size - 0.4999)
            clamped = torch.minimum(at.clamp(min=0), size - 1)
            low = clamped.long()
            return [low, torch.minimum(low + 1, size.long() - 1), ((clamped - low) * 256).int(), (clamped + 0.5).floor().long()], inside

        width, height = draws[0].width, draws[0].height
        middle_x, middle_y = width / 2, height / 2
        c, s = of_each(lambda draw: math.cos(math.radians(draw.degrees))), of_each(lambda draw: math.sin(math.radians(draw.degrees)))
        step = of_each(lambda draw: 1 / draw.factor)
        across = torch.arange(width, dtype=torch.float64, device=self.device)[None, None, :] + 0.5 - middle_x
        across = across * of_each(lambda draw: -1 if draw.is_flipped else 1)
        down = torch.arange(height, dtype=torch.float64, device=self.device)[None, :, None] + 0.5 - middle_y
        column, inside_x = coordinate(middle_x + c * across - s * down, of_each(lambda draw: draw.left), of_each(lambda draw: draw.size[0]))
        row, inside_y = coordinate(middle_y + s * across + c * down, of_each(lambda draw: draw.top), of_each(lambda draw: draw.size[1]))
        return row, column, inside_x & inside_y

    def _blurred(self, pixels, draws):
        if self.settings.blur_radius == 0:
            return torch.where(self._chosen(draws, "is_blurred"), _softened(pixels), pixels)
        result = pixels.clone()
        for number, draw in enumerate(draws):
            if draw.is_blurred:
                weights = self._moved(_bell(draw.blur_deviation))
                result[number] = _filtered(_filtered(pixels[number], weights, 1), weights, 0)
        return result

    def _compressed(self, pixels, draws):
        """Through JPEG and back, on the processor."""
        numbers = [number for number, draw in enumerate(draws) if draw.quality is not None]
        given = pixels[numbers].byte().cpu().numpy()
        decoded = list(self.coders.map(_through_jpeg, given, [draws[number].quality for number in numbers]))
        result = pixels.clone()
        result[numbers] = self._moved(np.stack(decoded)).int()
        return result


def _patches(seed, width, height):
    """One to three rectangles of 2 to 15 % of the area, of noise or of one colour: (row, column, bytes)."""
    numbers = RandomNumbers(seed)
    for _ in range(1 + numbers.next() % 3):
        share = 0.02 + 0.13 * numbers.uniform()
        aspect = math.exp(math.log(3) * (2 * numbers.uniform() - 1))
        area = share * (width * height)
        across = max(1, min(width, int(math.sqrt(area * aspect))))
        down = max(1, min(height, int(math.sqrt(area / aspect))))
        left, top = int(numbers.uniform() * (width - across + 1)), int(numbers.uniform() * (height - down + 1))
        is_noise = numbers.uniform() < 0.5
        flat = numbers.next()
        bits = numbers.many(across * down) if is_noise else np.full(across * down, flat, np.uint64)
        colors = np.stack([bits >> np.uint64(8 * color) & np.uint64(255) for color in range(3)], -1)
        yield top, left, colors.astype(np.uint8).reshape(down, across, 3)


def _sampled(pixels, labels, row, column, inside):
    """Bilinear pixels, nearest labels; outside black and ignored."""
    batch = torch.arange(len(pixels), device=pixels.device)[:, None, None]
    u, v = column[2][..., None], row[2][..., None]

    def at(y, x):
        return pixels[batch, y, x].int()

    above = at(row[0], column[0]) * (256 - u) + at(row[0], column[1]) * u
    below = at(row[1], column[0]) * (256 - u) + at(row[1], column[1]) * u
    mixed = (above * (256 - v) + below * v + 32768) >> 16
    return mixed * inside[..., None], torch.where(inside, labels[batch, row[3], column[3]], IGNORED)


def _light_tables(draw):
    """[3, 256]: what becomes of each sample of red, green and blue. Evening light multiplies red and divides blue; then a power."""
    samples = np.arange(256) / 255

    def rounded(values):
        return np.clip(np.floor(values * 255 + 0.5), 0, 255).astype(np.int32)

    power = rounded(np.power(samples, draw.exponent))
    return np.stack([power[rounded(value)] for value in (samples * draw.warmth, samples, samples / draw.warmth)])


def _bell(deviation):
    """A Gaussian filter's weights in 1/65536."""
    reach = math.ceil(3 * deviation)
    bell = np.array([math.exp(-(place * place) / (2 * deviation * deviation)) for place in range(-reach, reach + 1)])
    weights = np.floor(bell / sum(bell) * 65536 + 0.5).astype(np.int32)
    weights[reach] += 65536 - weights.sum()
    return weights


def _filtered(picture, weights, axis):
    """A picture [H, W, 3] filtered along an axis; borders repeat."""
    reach, count = len(weights) // 2, picture.shape[axis]
    places = torch.arange(-reach, count + reach, device=picture.device).clamp(0, count - 1)
    windows = picture.index_select(axis, places).unfold(axis, len(weights), 1)
    return (((windows * weights).sum(-1) + 32768) >> 16).clamp(0, 255).int()


def _through_jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def _gray_sum(pixels):
    """The gray value in 1/1024, from red, green and blue."""
    return 306 * pixels[..., 0:1] + 601 * pixels[..., 1:2] + 117 * pixels[..., 2:3]


def _recolored(pixels, gain, offset, own):
    """contrast * (brightness * x - 128) + 128, then mixed with its grey."""
    pixels = (pixels * gain + offset) >> 10
    gray = _gray_sum(pixels) >> 10
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
