"""Small trainings for the measurements in this folder: recipes, starts, logs."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEGNET = ROOT / ".build" / "release" / "segnet"
SEGNET_MPI = ROOT / "Cluster" / ".build" / "release" / "segnet-mpi"

RECIPE = """\
architecture: {architecture}
width: {width}
dataset: synthetic
count: 16
size: [{size}]
class-weights: none
batch-size: {batch}
iterations: {steps}
learning-rate: 0.01
validate-every: 100000
checkpoint-minutes: {minutes}
statistics: running
tensorboard: false
"""


def recipe(folder, architecture="segnet-basic", width=0.5, size="160, 120", batch=4, steps=30, minutes=1000):
    path = pathlib.Path(folder) / "recipe.yaml"
    path.write_text(RECIPE.format(architecture=architecture, width=width, size=size, batch=batch, steps=steps, minutes=minutes))
    return path


def check_programs():
    for path, how in ((SEGNET, "make build"), (SEGNET_MPI, "make mpi")):
        if not path.exists():
            raise SystemExit(f"{path}: does not exist; build it with '{how}'.")
    if not shutil.which("mpirun"):
        raise SystemExit("mpirun: not found; scripts/setup-mpi installs it.")


def environment():
    return dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", SEGNET=str(SEGNET))


def local_mpirun(ranks, command, patience=60):
    """`patience`: seconds that ranks have to end in when mpirun wants it; it always waits so long once a rank is lost."""
    return ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", "--mca", "odls_base_sigkill_timeout",
            str(patience), *command]


def train_words(program, recipe, output, threads, *more):
    return [str(program), "train", "--config", str(recipe), "--output", str(output), "--threads", str(threads), *more]


def log(output):
    """The lines of the run's log, only whole ones."""
    lines = []
    path = pathlib.Path(output) / "log.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            pass
    return lines


def steps(output, batch, skip=3):
    """Median seconds of a step after the first ones, and the median share of it that was spent waiting."""
    entries = [line for line in log(output) if line["kind"] == "step"][skip:]
    seconds = [batch / line["picturesPerSecond"] for line in entries]
    waits = [line.get("waitingShare", 0) for line in entries]
    return statistics.median(seconds), statistics.median(waits)


def run(words, timeout=600):
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}: ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done
