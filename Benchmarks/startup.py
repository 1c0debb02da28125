#!/usr/bin/env python3
"""How long a build of `segnet` takes to start and to segment a photo, and the memory that it takes: builds by turns, in one sitting.

    Benchmarks/startup.py NAME=PROGRAM [NAME=PROGRAM ...] [--rounds 40]

Prints the median and the least time of a process, from its start to its end, and the median of its peak memory.
"""

import argparse
import os
import pathlib
import statistics
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PHOTO = str(ROOT / "Models" / "street.jpg")


def run(program, arguments):
    """(milliseconds, MiB) of one process, whose output nobody sees."""
    environment = dict(os.environ, SEGNET_MODELS=str(ROOT / "Models"))
    silent = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    begin = time.perf_counter()
    process = os.posix_spawn(program, [program, *arguments], environment, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        raise SystemExit(f"startup.py: {program} {' '.join(arguments)} ended with status {status}")
    return 1000 * (time.perf_counter() - begin), usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="NAME=PROGRAM")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    programs = dict(word.split("=", 1) for word in options.programs)
    with tempfile.TemporaryDirectory() as folder:
        for arguments in (
            ["--version"],
            ["info", "segnet"],
            ["predict", PHOTO, "--model", "segnet-streets-small", "--output", folder],
            ["predict", PHOTO, "--model", "segnet-streets", "--output", folder],
        ):
            figures = {name: [] for name in programs}
            for _ in range(options.rounds):
                for name, program in programs.items():
                    figures[name].append(run(program, arguments))
            shown = " ".join(word for word in arguments[:4] if word not in (PHOTO, "--model"))
            for name, found in figures.items():
                times, memory = zip(*found)
                print(f"segnet {shown:28} {name:12} {statistics.median(times):7.1f} ms (least {min(times):.1f}) {statistics.median(memory):7.1f} MiB")


if __name__ == "__main__":
    main()
