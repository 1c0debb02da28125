"""The examples of a pool, decoded ahead of the network by threads: decoding leaves Python's lock."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import torch

from .examples import ExampleCache

MOST_THREADS = 16


class Reading:
    def __init__(self, pool, device, cache_megabytes, depth):
        """depth: how many examples are read ahead."""
        self.pool, self.device, self.depth = pool, device, depth
        self.cache = ExampleCache(cache_megabytes)
        threads = min(MOST_THREADS, os.cpu_count() or 1) if device.type == "cuda" else 1
        self.threads = ThreadPoolExecutor(threads, "reading")
        self.background = ThreadPoolExecutor(1, "preparing")

    def ahead(self, function, items):
        return self.threads.map(function, items)

    def example(self, source, sample):
        return self.cache.read(self.pool.sources[source].dataset, sample)

    def examples(self, pictures):
        """The examples of (source, sample, ...) in order."""
        waiting, pictures = [], iter(pictures)
        while True:
            for source, sample, *_ in itertools.islice(pictures, self.depth - len(waiting)):
                waiting.append(self.threads.submit(self.example, source, sample))
            if not waiting:
                return
            yield waiting.pop(0).result()

    def in_background(self, items, depth):
        """The items of a generator, made by a thread of their own; at most `depth` wait."""
        waiting = [self.background.submit(next, items) for _ in range(depth)]
        while True:
            waiting.append(self.background.submit(next, items))
            yield waiting.pop(0).result()

    def whole(self, examples):
        """Pictures as they are, on the device: [B, 3, H, W], blue, green, red."""
        pixels = torch.stack([torch.from_numpy(example.pixels) for example in examples]).to(self.device)
        return pixels.flip(3).float().permute(0, 3, 1, 2).contiguous()

    def close(self):
        for threads in (self.background, self.threads):
            threads.shutdown(wait=False, cancel_futures=True)
