"""The command line: a recipe, changed by the options given; what happens, as it happens."""

import argparse
import shlex
import signal
import sys
import time

from . import model_store
from .errors import UserError
from .recipe import ARCHITECTURES, DATASETS, Recipe, Teacher

FLOAT32_SHARE = 0.1  # of the steps, at the end, where precision matters most

DESCRIPTION = """\
Trains a network on pictures with labels, as `segnet train` does, with PyTorch: on a GPU, on several (torchrun), or on a CPU. Reads the same
recipes (--config, a YAML file) and leaves the same files in the run's folder (--output): recipe.yaml, log.jsonl, best.safetensors and
last.safetensors, which every `segnet` command reads, and last.pt, from which --resume continues. Ctrl-C finishes the step, saves and exits
with 130 (SIGTERM: 143); a second one ends at once."""


def parser():
    result = argparse.ArgumentParser(prog="train.py", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False)
    add = result.add_argument
    add("--config", metavar="FILE", help="a recipe; options given here go before what it says")
    add("--output", metavar="FOLDER", required=True, help="the run's folder; made if it is not there")
    add("--resume", action="store_true", help="go on from the checkpoint in the run's folder, if there is one")
    add("--architecture", choices=ARCHITECTURES)
    add("--dataset", choices=DATASETS)
    add("--data", metavar="FOLDER", help="the data set's folder")
    add("--classes", metavar="NAME|FILE",
        help="the classes: a table by name, or a file with \"name\" or \"name red green blue\" on each line, or JSON")
    add("--ignore", metavar="NUMBER", type=int, action="append", default=[], help="label numbers without meaning; may be repeated")
    add("--map", metavar="OLD=NEW", action="append", default=[],
        help="labels, by number or name, that mean this class or void; may be repeated")
    add("--colored", action="store_true", help="labels are painted in the colours of the classes")
    add("--inputs", metavar="NAMES", help="rgb is the only kind of input that this program knows")
    add("--mean", metavar="NUMBERS", type=_numbers,
        help="subtracted from red, green, blue, with commas, or one for all; in units of 0...255")
    add("--scale", metavar="NUMBERS", type=_numbers, help="multiplied after that, likewise")
    add("--size", metavar="WxH", type=_size, help="resize pictures and labels to this size")
    add("--crop", metavar="WxH", type=_size, help="train on random parts of this size")
    add("--class-weights", metavar="WHICH", help="auto (median frequency over your labels), authors, none, or a file")
    add("--batch-size", metavar="COUNT", type=int, help="pictures that run together on one device")
    add("--accumulate", metavar="COUNT", type=int, help="batches whose gradients make one step; several GPUs share them")
    add("--epochs", metavar="COUNT", type=float, help="passes over the training pictures")
    add("--iterations", metavar="COUNT", type=int, help="the number of steps; overrides epochs")
    add("--learning-rate", metavar="RATE", type=float, help="the learning rate before the schedule")
    add("--model", metavar="FILE|NAME",
        help="begin with this model's weights, a file or a bundled one by name; a classifier of another class count is made anew")
    add("--teacher", metavar="FILE|NAME",
        help="learn from this model's scores in addition to the labels; temperature and share are set in a recipe (teacher)")
    add("--encoder", metavar="FILE", help="begin with this file's encoder: VGG16")
    add("--freeze", metavar="LAYERS", action="append", default=[],
        help="layers that do not learn: a name, or a pattern with *; may be repeated")
    add("--statistics", choices=["exact", "original", "running"], help="where batch normalisation's statistics come from")
    add("--tensorboard", action=argparse.BooleanOptionalAction, default=None,
        help="event files are not written here; log.jsonl has all numbers")
    add("--seed", metavar="NUMBER", type=int, help="chooses weights, order and augmentation")
    add("--threads", metavar="COUNT", type=int, help="how many threads compute on a CPU (default: all cores)")
    add("--accuracy", choices=["fast", "accurate", "exact"], help="of the Swift engine; nothing here")
    add("--storage", choices=["float32", "float16"], help="of the Swift engine; nothing here")
    add("--recompute", action=argparse.BooleanOptionalAction, default=None, help="of the Swift engine; nothing here")
    machine = result.add_argument_group("what a recipe does not say")
    machine.add_argument("--device", metavar="NAME", help="cuda, cuda:1 or cpu (default: a GPU where there is one)")
    machine.add_argument("--precision", choices=["bf16", "tf32", "float32"],
                         help="of convolutions while training (default: bf16 on a GPU that has it, else float32)")
    machine.add_argument("--float32-share", metavar="PART", type=float, default=FLOAT32_SHARE,
                         help=f"with bf16: the part of the steps, at the end, in TF32 (default: {FLOAT32_SHARE})")
    return result


def _numbers(text):
    return [float(word) for word in text.split(",")]


def _size(text):
    width, height = text.lower().split("x")
    return [int(width), int(height)]


def resolved(options):
    """The recipe with the options given."""
    recipe = Recipe.read(options.config) if options.config else Recipe()
    of_one = [("dataset", options.dataset), ("data", options.data), ("classes", options.classes), ("colored", options.colored),
              ("map", options.map), ("ignore", options.ignore)]
    given = [name for name, value in of_one if value]
    if recipe.datasets and given:
        raise UserError(f"--{given[0]}: '{options.config}' lists several data sets ('datasets'); change its entries instead.")
    for name in ("architecture", "dataset", "data", "classes", "mean", "scale", "size", "class_weights", "batch_size", "accumulate",
                 "learning_rate", "model", "encoder", "statistics", "tensorboard", "seed", "accuracy", "storage", "recompute"):
        if getattr(options, name) is not None:
            setattr(recipe, name, getattr(options, name))
    recipe.colored = recipe.colored or options.colored
    recipe.ignore += options.ignore
    recipe.freeze += options.freeze
    for change in options.map:
        old, separator, new = change.partition("=")
        if not (old and separator and new):
            raise UserError(f"--map {change}: write the label and its class as OLD=NEW, such as 14=3, 14=Road, Pole=Fence or Pole=void.")
        recipe.map[old] = new
    if options.teacher:
        recipe.teacher = recipe.teacher or Teacher()
        recipe.teacher.model = options.teacher
    if options.inputs:
        recipe.inputs = options.inputs.split(",")
    if options.crop:
        recipe.augmentation.crop = options.crop
    if options.epochs is not None:
        recipe.epochs, recipe.iterations = options.epochs, None
    if options.iterations is not None:
        recipe.iterations = options.iterations
    recipe.check()
    model_store.resolve(recipe)
    return recipe


class Console:
    """Notes, and a line of progress that is rewritten on a terminal; without one, one line per minute. On standard error."""

    def __init__(self, is_first):
        self.is_first, self.is_terminal = is_first, sys.stderr.isatty()
        self.has_status, self.last_line = False, time.monotonic()

    def note(self, text):
        if self.is_first:
            self.clear()
            print(text, file=sys.stderr, flush=True)

    def status(self, text):
        if not self.is_first:
            return
        if self.is_terminal:
            print(f"\r{text[:119]}\x1b[K", end="", file=sys.stderr, flush=True)
            self.has_status = True
        elif time.monotonic() - self.last_line > 60:
            self.last_line = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def clear(self):
        if self.has_status:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self.has_status = False


def step_line(report):
    left = int(min(report["secondsLeft"], 1e9))
    time_left = f"{left // 3600}h{left // 60 % 60:02}m" if left >= 3600 else f"{left // 60} min" if left >= 60 else f"{left} s"
    score = report["runningMeanIoU"]
    return (f"epoch {report['epoch']:.2f}  step {report['step']}/{report['totalSteps']}  loss {report['loss']:.4f}  "
            f"mIoU {'-' if score is None else f'{100 * score:.1f}'}  {report['picturesPerSecond']:.1f} img/s  {time_left} left")


def validation_line(report):
    def percent(value):
        return "-" if value is None else f"{100 * value:.2f}"

    return (f"epoch {report['epoch']:.2f}  step {report['step']}  validation: mIoU {percent(report['meanIoU'])}, accuracy "
            f"{percent(report['globalAccuracy'])}, class average {percent(report['classAverageAccuracy'])}"
            + ("  best so far" if report["isBest"] else ""))


def main(arguments=None):
    options = parser().parse_args(arguments)
    try:
        return _train(options)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _train(options):
    recipe = resolved(options)  # before PyTorch is loaded: what is wrong with it is said at once
    if not 0 <= options.float32_share <= 1:
        raise UserError(f"--float32-share: needs a part of 0...1; found {options.float32_share:g}.")
    import torch

    from .learner import Computing
    from .processes import Processes
    from .trainer import Trainer

    processes = Processes(options.device)
    trainer = None
    try:
        # From Ampere on GPUs compute with bf16.
        has_bf16 = processes.device.type == "cuda" and torch.cuda.get_device_capability(processes.device) >= (8, 0)
        precision = options.precision or ("bf16" if has_bf16 else "float32")
        trainer = Trainer(recipe, options.output, processes, Computing(precision, options.float32_share, options.threads), options.resume)
        return _run(trainer, Console(processes.is_first), _of_the_machine(options))
    finally:
        if trainer:
            trainer.close()
        processes.stop()


def _of_the_machine(options):
    """What was given that a recipe does not say, as words of a command."""
    given = [("--device", options.device), ("--precision", options.precision), ("--threads", options.threads),
             ("--float32-share", options.float32_share if options.float32_share != FLOAT32_SHARE else None)]
    return [word for name, value in given if value is not None for word in (name, str(value))]


def _run(trainer, console, of_the_machine):
    import torch

    from .optimizers import Diverged

    recipe, begin = trainer.recipe, time.monotonic()
    width, height = trainer.train_size
    console.note(f"{recipe.architecture}, {len(trainer.table.classes)} classes, pictures of {width}x{height}, {trainer.per_step} per step, "
                 f"{trainer.total_steps} steps, {trainer.processes.count} x {trainer.device_name} in {trainer.computing.precision}")
    for text in trainer.notes:
        console.note(text)
    stop = StopRequest(console)
    try:
        is_finished = trainer.run(stop.is_asked, lambda kind, report: _tell(console, kind, report))
    except Diverged as error:
        start = recipe.model or recipe.encoder
        if start and trainer.progress.step == 0:  # no rate has had a part in the numbers of the first step
            raise UserError(f"training cannot begin with the weights of {start}: before anything is learnt, {error} is not a finite number. Some "
                            "of them are too large to compute with; begin with another model, or with random weights.") from error
        raise UserError(f"training diverged: {error} is not a finite number. Try a lower --learning-rate, a warm-up, or gradient clipping; "
                        "the last checkpoint is kept.") from error
    except torch.cuda.OutOfMemoryError as error:
        raise UserError(f"the GPU's memory is too small for batches of {recipe.batch_size} pictures of {width}x{height}; use a smaller "
                        "--batch-size (with --accumulate for the same step), or a smaller --crop.") from error
    console.clear()
    folder = trainer.folder.path
    if not is_finished:
        words = ["--config", str(folder / "recipe.yaml"), "--output", str(folder), "--resume", *of_the_machine]
        console.note(f"stopped at step {trainer.progress.step} of {trainer.total_steps}, saved as {trainer.folder.checkpoint}; continue with\n"
                     f"  {shlex.join([sys.argv[0], *words])}")
        return 128 + (stop.signal or signal.SIGINT)  # another process of torchrun's may be the one that was asked
    console.note(f"trained in {(time.monotonic() - begin) / 60:.1f} minutes")
    if trainer.processes.is_first:
        for path in (folder / "best.safetensors", folder / "last.safetensors"):
            if path.exists():
                print(path)
    return 0


class StopRequest:
    """Ctrl-C or SIGTERM: the first asks for an end after the step, a second one ends at once.

    `torchrun` passes on a Ctrl-C that its processes have had from the terminal already: what follows soon is the same request.
    """

    SOON = 3.0

    def __init__(self, console):
        self.console, self.time, self.signal = console, None, None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)

    def ask(self, number, frame):
        if self.time is None:
            self.time, self.signal = time.monotonic(), number
            self.console.note("asked to stop: saving. Once more ends at once; the checkpoint is safe either way.")
        elif time.monotonic() - self.time > self.SOON:
            sys.exit(128 + number)

    def is_asked(self):
        return self.time is not None


def _tell(console, kind, report):
    if kind == "step":
        console.status(step_line(report))
    elif kind == "validation":
        console.note(validation_line(report))
        if report["neverPredicted"]:
            console.note(f"  never predicted: {', '.join(report['neverPredicted'])}")
    elif kind == "note":
        console.note(report)
    elif kind == "statistics":
        console.status(f"statistics of batch normalisation: {report[0]} of {report[1]} pictures")
