"""The package's random numbers (Sources/SegNetPlatform/RandomNumbers.swift): SplitMix64.

The same seed gives the same initial weights, order of pictures and changes of pictures here and there, so that two trainings of one
recipe can be compared step by step. The n-th number is a function of the seed and n alone, so many come at once.
"""

import numpy as np

MASK = (1 << 64) - 1
STEP = 0x9E37_79B9_7F4A_7C15


def _mixed(z):
    """The generator's output for a state: a Python number or an array of uint64, which wraps around by itself."""
    if isinstance(z, int):
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB & MASK
        return z ^ (z >> 31)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))


class RandomNumbers:
    def __init__(self, seed, stream=None):
        """A stream of a seed is independent of its other streams: one per layer, or one per picture."""
        self.state = seed & MASK
        if stream is not None:
            self.state ^= RandomNumbers((stream * STEP & MASK) ^ 0xD1B5_4A32_D192_ED03).next()

    def next(self):
        """64 random bits."""
        self.state = (self.state + STEP) & MASK
        return _mixed(self.state)

    def uniform(self):
        """In [0, 1), 53 bits."""
        return (self.next() >> 11) * 2.0**-53

    def many(self, count):
        """The next numbers, as uint64."""
        states = np.uint64(self.state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP)
        self.state = (self.state + count * STEP) & MASK
        return _mixed(states)

    def uniforms(self, count):
        return (self.many(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def gaussians(self, count):
        """Mean 0, deviation 1 (Box and Muller, one of each pair)."""
        pairs = self.uniforms(2 * count)
        return np.sqrt(-2 * np.log(1 - pairs[0::2])) * np.cos(2 * np.pi * pairs[1::2])

    def below(self, bound):
        """A whole number in 0 ..< bound, as Swift's `next(upperBound:)` draws it (Lemire, arXiv 1805.10941)."""
        product = self.next() * bound
        if product & MASK < bound:
            threshold = ((1 << 64) - bound) % bound
            while product & MASK < threshold:
                product = self.next() * bound
        return product >> 64

    def shuffled(self, count):
        """0 ..< count in the order that Swift's `shuffled(using:)` gives."""
        order = list(range(count))
        for place in range(count - 1):
            other = place + self.below(count - place)
            order[place], order[other] = order[other], order[place]
        return order
