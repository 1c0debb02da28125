#!/usr/bin/env python3
"""Thousands of pictures in shards, some of which are killed and run again: are the files those of one run?

    Benchmarks/scaling/shards.py [--pictures 5000] [--shards 7] [--kills 3]

The pictures are small parts of Models/street.jpg; the network is narrow and trained for two steps, so that reading and writing count.
Needs ImageMagick's `convert`.
"""

import argparse
import hashlib
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import training


def make_pictures(folder, count):
    """`count` parts of the street, 48x32 each, by one call for each row of the photograph."""
    folder.mkdir()
    street = training.ROOT / "Models" / "street.jpg"
    done = 0
    while done < count:
        number = min(count - done, 250)
        y = done // 250 * 5
        words = ["convert", str(street)]
        for x in range(number):
            words += ["(", "-clone", "0", "-crop", f"48x32+{x}+{y}", "+repage", "-write", str(folder / f"p{done + x:05}.png"), "+delete", ")"]
        subprocess.run([*words, "null:"], check=True)
        done += number


def digests(folder):
    """The digest of every result; reports of shards and of the whole run differ in times, and are not results."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.png")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--shards", type=int, default=7)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("convert"):
        raise SystemExit("convert: not found; ImageMagick has it (Debian: imagemagick).")
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="segnet-shards-") as folder:
        folder = pathlib.Path(folder)
        pictures, whole, parts = folder / "pictures", folder / "whole", folder / "parts"
        make_pictures(pictures, options.pictures)
        recipe = training.recipe(folder, width=0.25, size="48, 32", steps=2)
        training.run(training.train_words(training.SEGNET, recipe, folder / "model", 2))
        model = folder / "model" / "last.safetensors"
        words = [str(training.SEGNET), "predict", str(pictures), "--model", str(model), "--save", "mask,color", "--threads", "1", "--quiet"]
        start = time.monotonic()
        subprocess.run([*words, "--output", str(whole)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        print(f"{options.pictures} pictures in one run: {seconds:.1f} s", flush=True)

        def shard(number):
            return subprocess.Popen([*words, "--output", str(parts), "--shard", f"{number}/{options.shards}", "--skip-existing"], stdout=subprocess.DEVNULL)

        killed = chance.sample(range(1, options.shards + 1), options.kills)
        for number in range(1, options.shards + 1):
            process = shard(number)
            if number in killed:
                time.sleep(chance.uniform(0.2, 0.8) * seconds / options.shards)
                process.kill()
                process.wait()
                print(f"shard {number} killed; {len(digests(parts))} files so far", flush=True)
            elif process.wait() != 0:
                raise SystemExit(f"shard {number} ended with {process.returncode}")
        early = subprocess.run([str(training.SEGNET), "predict", "--merge", str(parts)], capture_output=True, text=True)
        if early.returncode == 0:
            raise SystemExit("the merge said nothing of shards that had not ended")
        for number in killed:
            if shard(number).wait() != 0:
                raise SystemExit(f"shard {number} could not be run again")
        merged = subprocess.run([str(training.SEGNET), "predict", "--merge", str(parts)], capture_output=True, text=True)
        if merged.returncode != 0:
            raise SystemExit(f"merge: {merged.stderr}")
        # Beside the folder of the shards' reports there may be nothing that is hidden.
        left = [path.name for path in parts.iterdir() if path.name.startswith(".") and path.name != ".segnet-shards"]
        same = digests(whole) == digests(parts)
        print(f"{options.shards} shards, {options.kills} of them killed and run again: {len(digests(parts))} files, "
              f"{'the same to the byte' if same else 'OTHERS'} as of one run; left over: {left or 'nothing'}")
        print(merged.stdout.strip())
        raise SystemExit(0 if same and not left else 1)


if __name__ == "__main__":
    main()
