#!/usr/bin/env python3
"""Kills a rank of a training over MPI at random times, and checks what is left.

    Benchmarks/scaling/kills.py [--kills 20] [--ranks 2] [--steps 200]

Each time one rank, chosen at random, gets SIGKILL somewhere between the start and the end. Then all others must end by themselves, the
checkpoint must be whole and never behind the one before, and the next start must continue from it. At the end the model is compared byte for
byte with that of an undisturbed training. This is possible because two ranks add in one order only.
"""

import argparse
import pathlib
import random
import subprocess
import tempfile
import time

import training


def ranks_of(process):
    """The segnet processes below a process."""
    found = []
    for path in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        try:
            for child in path.read_text().split():
                name = pathlib.Path(f"/proc/{child}/comm").read_text().strip()
                found += [int(child)] if name == "segnet" else []
                found += ranks_of(child)
        except OSError:
            pass
    return sorted(set(found))


def is_alive(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def count_steps(output):
    """Lines of steps in the log so far; the last may be half written."""
    try:
        return (output / "log.jsonl").read_text().count('"kind":"step"')
    except OSError:
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    training.check_programs()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="segnet-kills-") as folder:
        folder = pathlib.Path(folder)
        recipe = training.recipe(folder, width=0.25, size="48, 32", batch=4, steps=options.steps, minutes=0)
        whole, killed = folder / "whole", folder / "killed"
        command = lambda output: training.local_mpirun(
            options.ranks, training.train_words(training.SEGNET_MPI, recipe, output, 1, "--resume"), patience=5
        )
        begin = time.monotonic()
        training.run(command(whole))
        length = time.monotonic() - begin
        kills, reached, worst = 0, 0, 0.0
        while kills < options.kills:
            process = subprocess.Popen(command(killed), env=training.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            found = []
            while process.poll() is None and len(found) < options.ranks:
                found = ranks_of(process.pid)
            # A quarter while it starts, the others within a few steps, so that the training lasts for all kills.
            if chance.random() > 0.25:
                before = count_steps(killed)
                while process.poll() is None and count_steps(killed) == before:
                    time.sleep(0.01)
            time.sleep(chance.uniform(0, length / options.kills))
            if process.poll() is None and len(found) == options.ranks:
                victim = chance.choice(found)
                subprocess.run(["kill", "-9", str(victim)], check=False)
                kills += 1
            start = time.monotonic()
            try:
                process.communicate(timeout=90)
            except subprocess.TimeoutExpired:
                raise SystemExit(f"kill {kills}: ranks are still running 90 s after one was killed")
            worst = max(worst, time.monotonic() - start)
            # mpirun may be gone a moment before the last rank.
            while any(map(is_alive, found)) and time.monotonic() - start < 90:
                time.sleep(0.1)
            left = [rank for rank in found if is_alive(rank)]
            if left:
                raise SystemExit(f"kill {kills}: {left} did not end")
            steps = [line["step"] for line in training.log(killed) if line["kind"] == "step"]
            if sorted(set(steps)) != steps:
                raise SystemExit(f"kill {kills}: the log has steps twice or out of order: {steps}")
            if (steps[-1] if steps else 0) < reached:
                raise SystemExit(f"kill {kills}: back from step {reached} to {steps[-1]}")
            reached = max([line["step"] for line in training.log(killed) if line["kind"] == "start"], default=0)
            print(f"kill {kills}: continued from step {reached}, log to {steps[-1] if steps else 0}; all ended", flush=True)
            if process.returncode == 0:
                print("the training was over before all kills; give more --steps")
                break
        training.run(command(killed))
        same = all((whole / name).read_bytes() == (killed / name).read_bytes() for name in ("last.safetensors",))
        print(f"{kills} kills; all ranks ended, at most {worst:.1f} s after a kill; the model is {'the same to the byte' if same else 'ANOTHER'}")
        raise SystemExit(0 if same or options.ranks > 2 else 1)


if __name__ == "__main__":
    main()
