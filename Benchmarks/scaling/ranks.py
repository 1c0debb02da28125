#!/usr/bin/env python3
"""Speed of training by ranks and links on this machine, compared with the model in docs/scaling.md.

    Benchmarks/scaling/ranks.py [--architecture segnet-basic] [--size "160, 120"] [--batch 4] [--steps 20] [--rounds 3]
                                [--links none | RATE[,MILLISECONDS]] [--ranks 1,2,4] [--json FILE]

Without --links: one process with one and with two threads, and two ranks of one thread each, in turn. With --links 1gbit,10: the numbers of
ranks that --ranks lists, each rank in its own network namespace behind a link of that rate (made by tc) and that round trip (made by delay.c,
since not every kernel has netem), and the same ranks without the link. This needs root.
"""

import argparse
import json
import math
import pathlib
import re
import statistics
import tempfile

import training
from links import Links, root_environment


def gradients(text):
    """Bytes of gradients per step, and the share of the time that their transfer took, from the last lines of rank 0."""
    found = re.search(r"ranks: ([\d.]+) MiB of gradients per step; their transfer took ([\d.]+) %", text)
    return float(found.group(1)) * 2**20, float(found.group(2)) / 100


class Measurement:
    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)
        self.recipe = training.recipe(
            folder, options.architecture, options.width, options.size, options.batch, options.steps
        )
        self.number = 0

    def output(self):
        self.number += 1
        return self.folder / f"run{self.number}"

    def alone(self, threads):
        output = self.output()
        training.run(training.train_words(training.SEGNET, self.recipe, output, threads))
        return training.steps(output, self.options.batch)

    def ranks(self, count, threads=1, links=None):
        output = self.output()
        words = training.train_words(training.SEGNET_MPI, self.recipe, output, threads)
        if links:
            words = links.mpirun(words, {"SEGNET": str(training.SEGNET), **root_environment()}, ranks=count)
        else:
            words = training.local_mpirun(count, words)
        done = training.run(words)
        return training.steps(output, self.options.batch) + gradients(done.stderr)


def here(measurement, options):
    """One process against two ranks, in turn, so that other work on the machine affects both alike."""
    rounds = {"1 thread": [], "2 threads": [], "2 ranks of 1 thread": []}
    waits = []
    for _ in range(options.rounds):
        rounds["1 thread"].append(measurement.alone(1)[0])
        rounds["2 threads"].append(measurement.alone(2)[0])
        seconds, wait, size, travel = measurement.ranks(2)
        rounds["2 ranks of 1 thread"].append(seconds)
        waits.append(wait)
    result = {name: statistics.median(times) for name, times in rounds.items()}
    for name, seconds in result.items():
        print(f"{name:20} {seconds * 1000:8.1f} ms per step  {options.batch / seconds:7.2f} pictures per second")
    ratio = result["2 threads"] / result["2 ranks of 1 thread"]
    print(f"2 ranks of 1 thread are {ratio:.2f} times as fast as 2 threads; waiting {100 * statistics.median(waits):.1f} % of a step, "
          f"{size / 2**20:.1f} MiB of gradients")
    return {"seconds": result, "ratio": ratio, "waiting": statistics.median(waits), "gradientBytes": size}


def behind(measurement, options):
    """Ranks behind links, and the model: compute, the part of the gradients' transfer that is not hidden, round trips."""
    rate, _, delay = options.links.partition(",")
    trip = float(delay or 0) / 1000
    bits = float(re.match(r"[\d.]+", rate).group()) * (1e9 if "g" in rate else 1e6)
    counts = [int(word) for word in options.ranks.split(",")]
    rows = []
    with Links(max(counts), rate, trip / 2) as links:
        for count in counts:
            pairs = [(measurement.ranks(count), measurement.ranks(count, links=links)) for _ in range(options.rounds)]
            free = statistics.median(near[0] for near, _ in pairs)
            slow, slow_wait, size, travel = (statistics.median(values) for values in zip(*(far for _, far in pairs)))
            # Open MPI: up and down a tree below 4 ranks, around a ring from 4 on. Messages above 64 KiB ask first: one and a half round trips.
            buckets = max(1, round(size / 2**22))
            depth = math.ceil(math.log2(count))
            times, rounds = (2 * depth, 2 * depth) if count < 4 else (2 * (count - 1) / count, 2 * (count - 1))
            journey = times * size * 8 / bits + buckets * rounds * 1.5 * trip
            control = 0 if count == 1 else 4 * trip
            hidden = options.hidden * free
            model = free + max(0, journey - hidden) + control
            rows.append({"ranks": count, "free": free, "slow": slow, "model": model, "journey": journey, "waiting": slow_wait, "travel": travel * slow})
            print(f"{count} ranks: {free * 1000:7.1f} ms per step without a link, {slow * 1000:7.1f} ms behind {options.links} "
                  f"(waiting {100 * slow_wait:.0f} %, transfer of gradients {1000 * travel * slow:.0f} ms); the model: {model * 1000:7.1f} ms "
                  f"({100 * (model / slow - 1):+.0f} %)")
    return {"link": options.links, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--architecture", default="segnet-basic")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--size", default="160, 120")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--links", default="none")
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--hidden", type=float, default=0.25, help="the share of a step during which gradients can be sent")
    parser.add_argument("--json")
    options = parser.parse_args()
    training.check_programs()
    with tempfile.TemporaryDirectory(prefix="segnet-ranks-") as folder:
        measurement = Measurement(options, folder)
        result = here(measurement, options) if options.links == "none" else behind(measurement, options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
