"""What the tests share: where things are, the Swift command where there is one, small data sets that they make themselves."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "Tools/torch"
ORACLE = ROOT.parent / "shared/oracle/training"
sys.path.insert(0, str(TOOL))

try:
    import numpy as np
    import torch
    import yaml  # noqa: F401
    from PIL import Image

    torch.set_num_threads(1)
except ImportError as error:
    raise unittest.SkipTest(f"{error}: Tools/torch/requirements.txt lists what the tests need") from error


def segnet_command():
    """The Swift command: SEGNET_COMMAND names it, or it was built here."""
    built = [os.environ.get("SEGNET_COMMAND"), ROOT / ".build/release/segnet", shutil.which("segnet")]
    return next((str(path) for path in built if path and Path(path).is_file()), None)


SEGNET = segnet_command()
needs_segnet = unittest.skipUnless(SEGNET, "no segnet command was found: `make build`, or name one in SEGNET_COMMAND")


def run_segnet(*words):
    done = subprocess.run([SEGNET, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"segnet {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def assert_user_error(self, expected, function, *arguments, **options):
        from segnet_torch.errors import UserError

        with self.assertRaises(UserError) as caught:
            function(*arguments, **options)
        self.assertEqual(str(caught.exception), expected)


CLASSES = ["sky", "wall", "ground"]


def write_streets(folder, count=12, size=(48, 40), seed=0, void=255):
    """A data set of the layout `folder`: sky over walls over ground, in colours with noise, and some pixels without ground truth."""
    random = np.random.default_rng(seed)
    width, height = size
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    colors = np.array([[130, 170, 220], [150, 90, 70], [90, 90, 95]])
    rows, columns = np.mgrid[:height, :width]
    for number in range(count):
        horizon, base = random.integers(height // 4, height // 2), random.integers(height * 5 // 8, height * 7 // 8)
        skyline = horizon + 3 * np.sin(columns[0] / random.integers(3, 9))
        labels = (rows > skyline).astype(np.uint8) + (rows > base)
        picture = colors[labels] + random.normal(0, 12, (height, width, 3)) + random.normal(0, 15, 3)
        labels[random.random(labels.shape) < 0.02] = void
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{number:03}.png")
        Image.fromarray(labels.astype(np.uint8)).save(folder / "labels" / f"{number:03}.png")
    return folder


def run_program(*words):
    """The program, in this process: (exit status, what it wrote on standard error)."""
    from segnet_torch.command import main

    errors = io.StringIO()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            status = main(["--device", "cpu", "--threads", "1", *map(str, words)])
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers):
            signal.signal(number, handler)
    return status, errors.getvalue()


def train(*words):
    status, errors = run_program(*words)
    if status:
        raise AssertionError(f"train.py {' '.join(map(str, words))}: {errors}")
    return errors


def log_of(folder, kind="step"):
    import json

    lines = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def relative(a, b):
    """L2 of the difference / L2 of the second."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12))
