"""Trains a network: batches, steps, validation, checkpoints, logs, and at the end a model that is ready to use.

The parts are the package's (Sources/SegNetTraining/Trainer). A step's batches (`accumulate`) are dealt out to the processes, so that a
recipe means the same on one GPU and on several.
"""

import itertools
import math
import os
import time
import typing
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from . import architectures, arithmetic, class_weights, model_files, scores, sources, starting_weights
from .augmentation import Augmentation
from .errors import UserError
from .judge import VALIDATION_STATISTICS_PICTURES, Judge
from .learner import Learner
from .network import Network, layer_patterns, rates_by_layer
from .pool import PoolOrder
from .reading import Reading
from .run_folder import RunFolder

BATCHES_AHEAD = 2


@dataclass
class Progress:
    step: int = 0
    place: int = 0  # pictures before the next step
    seconds: float = 0.0
    best_score: float = -1.0
    best_step: int = -1
    fingerprint: str = ""


class Chosen(typing.NamedTuple):
    """What is read for a place of the training: (source, sample) of its picture, and of the one from which something is pasted, if any."""

    place: int
    pictures: list


class Trainer:
    def __init__(self, recipe, output, processes, computing, resume=False):
        recipe.check()
        self.recipe, self.processes, self.computing, self.device = recipe, processes, computing, processes.device
        if recipe.accumulate % processes.count:
            raise UserError(
                f"accumulate: the {recipe.accumulate} batches of a step cannot be dealt out to {processes.count} processes; give --accumulate "
                f"{processes.count} or a multiple (a step then has so many times --batch-size pictures).")
        if self.device.type == "cpu":
            torch.set_num_threads(computing.threads or os.cpu_count() or 1)
        self.notes = recipe.notes()
        self.pool, self.validation = sources.load(recipe)
        self.table = self.pool.sources[0].dataset.table
        self.reading = Reading(self.pool, self.device, recipe.cache_megabytes, depth=4 * recipe.batch_size)
        self.picture_size = self._picture_size()
        self.train_size = tuple(recipe.augmentation.crop or self.picture_size)
        self.per_step = recipe.batch_size * recipe.accumulate
        self.total_steps = recipe.iterations or max(1, math.ceil(recipe.epochs * self.pool.count / self.per_step))
        self.pool.phases = sources.phases(recipe, self.total_steps)
        self.order = PoolOrder(self.pool, recipe.seed)
        self.augmentation = Augmentation(
            recipe.augmentation, recipe.seed, self.device, self.pool.ids(recipe.augmentation.paste_classes))
        shares = self.pool.shares_of_training(self.total_steps * self.per_step)
        weights, notes = class_weights.of_recipe(recipe, self.pool, shares, self.reading.ahead)
        self.notes += self._note_of_sources() + notes
        self.folder = RunFolder(Path(output))
        saved = self.folder.begin(resume)
        self.learner = self._make_learner(saved, torch.tensor(weights, dtype=torch.float32, device=self.device))
        self.judge = Judge(self.description, self.pool, self.reading, processes, recipe.batch_size)
        self._begin(saved)

    @property
    def device_name(self):
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"

    def close(self):
        self.reading.close()
        self.folder.close()

    # Setting up

    def _note_of_sources(self):
        if len(self.pool.sources) == 1:
            return []
        parts = []
        for source, share in zip(self.pool.sources, self.pool.shares(0)):
            named = "" if source.named is None else f", labels name {len(source.named)} of {len(self.table.classes)} classes"
            parts.append(f"{source.dataset.name} {100 * share:.1f} % ({len(source.samples)} pictures{named})")
        return [f"data sets: {', '.join(parts)}."]

    def _picture_size(self):
        """The size of whole pictures, which the finished model expects."""
        sizes = [tuple(source.dataset.size or self.reading.example(index, source.samples[0]).size)
                 for index, source in enumerate(self.pool.sources)]
        other = next((size for size in sizes if size != sizes[0]), None)
        if other and not self.recipe.augmentation.crop:
            raise UserError("datasets: pictures of {}x{} and of {}x{} cannot share a batch; train on parts of one size (augmentation: crop), "
                            "or resize all pictures (size).".format(*sizes[0], *other))
        return sizes[0]

    def _named_classes(self):
        """[sources, K]: the classes that the labels of each source can name; None where all can."""
        if all(source.named is None for source in self.pool.sources):
            return None
        named = torch.ones(len(self.pool.sources), len(self.table.classes), dtype=torch.bool)
        for row, source in zip(named, self.pool.sources):
            if source.named is not None:
                row.fill_(False)[source.named] = True
        return named.to(self.device)

    def _make_learner(self, saved, weights):
        recipe = self.recipe
        mean, scale = self._input(saved)
        self.description = architectures.network(
            recipe.architecture, len(self.table.classes), width=recipe.width, size=self.picture_size, mean=mean, scale=scale)
        network = Network(self.description).to(self.device)
        frozen = {layer for layers in layer_patterns(recipe.freeze, network.names, "freeze").values() for layer in layers}
        rates = rates_by_layer(recipe.rates, network.names)
        if saved is None:
            network.initialize(recipe.seed, recipe.initialization == "xavier")
            self.notes += self._load_start(network, frozen, rates)
        teacher = starting_weights.load_teacher(recipe.teacher.model, self.table.classes).to(self.device) if recipe.teacher else None
        if self.device.type == "cuda":
            for some in filter(None, (network, teacher)):
                some.to(memory_format=torch.channels_last)
        return Learner(
            network, recipe, self.processes, self.computing, class_weights=weights, named=self._named_classes(),
            rates=rates, frozen=frozen, total_steps=self.total_steps, teacher=teacher)

    def _load_start(self, network, frozen, rates):
        """Loads the weights of an encoder or of a whole model. Returns notes."""
        recipe, starts = self.recipe, []
        still = frozen | {layer for layer, rate in rates.items() if rate == 0}
        if recipe.model:
            starts.append(starting_weights.load_model(
                network, recipe.model, self.table.classes, self._unfolding_pictures, lambda layer: layer not in still,
                encoder=recipe.encoder))
        elif recipe.encoder:
            starts.append(starting_weights.load_encoder(network, recipe.encoder))
        loaded = {layer for start in starts for layer in start.layers}
        warning = starting_weights.check_frozen(network, frozen, still, loaded, recipe.model or recipe.encoder)
        return [start.note for start in starts] + ([warning] if warning else [])

    def _input(self, saved):
        """Mean and scale of blue, green and red: the recipe's, or those of the model that the training begins with. What was decided stands
        in the recipe of the run."""
        recipe = self.recipe
        if saved is not None:
            recipe.mean, recipe.scale = recipe.mean or saved["mean"], recipe.scale or saved["scale"]
        of_model = {}, {}
        if saved is None and recipe.model and (recipe.mean is None or recipe.scale is None):
            of_model = starting_weights.input_of_model(recipe.model)
        result = []
        for setting, known, default in (("mean", of_model[0], 0.0), ("scale", of_model[1], 1.0)):
            values = getattr(recipe, setting)
            if values is not None and len(values) not in (1, 3):
                raise UserError(f"{setting}: has {len(values)} numbers, but the inputs have 3 channels; give one number for all, or one each for "
                                "red, green, blue.")
            if values is None:
                values = [known.get(channel, default) for channel in ("red", "green", "blue")]
                if any(value != default for value in values):
                    setattr(recipe, setting, values)
            red, green, blue = values * (3 // len(values))
            result.append([blue, green, red])
        return result

    def _unfolding_pictures(self):
        pictures = self.pool.representatives(starting_weights.UNFOLDING_PICTURES, 0)
        for example in self.reading.examples(pictures):
            with arithmetic.exact():
                yield self.reading.whole([example])

    def _begin(self, saved):
        recipe, data = self.recipe, self.description["input"]
        fingerprint = "{} {} {:g} {}x{} mean {} scale {}".format(
            self.description["name"], len(self.table.classes), recipe.width, *self.train_size, data["mean"], data["scale"])
        if len(self.pool.sources) > 1:
            fingerprint += f" {len(self.pool.sources)} data sets"
        self.progress = Progress(fingerprint=fingerprint)
        if saved is not None:
            known = saved["progress"]["fingerprint"]
            if known != fingerprint:
                raise UserError(f"{self.folder.checkpoint}: is of a training of '{known}', this is '{fingerprint}'; begin a new run "
                                "(--output).")
            self._restore(saved)
            self.notes.append(f"resumed at step {self.progress.step} of {self.total_steps}.")
        if recipe.batch_size == 1:
            self.notes.append("batch normalisation over one picture is noisy; a --batch-size of 2 or more trains better.")
        if self.processes.is_first:
            self.folder.open_log(self.progress.step if saved is not None else -1)
            self.folder.write_recipe(recipe.text())
            self.folder.write_log({
                "kind": "start", "step": self.progress.step, "totalSteps": self.total_steps, "batchSize": recipe.batch_size,
                "accumulate": recipe.accumulate, "picturesPerStep": self.per_step, "program": f"PyTorch {torch.__version__}",
                "device": self.device_name, "processes": self.processes.count, "precision": self.computing.precision})

    def _restore(self, saved):
        self.progress = Progress(**saved["progress"])
        self.learner.load(saved["learner"])

    def _save_checkpoint(self):
        self.learner.require_finite()
        if self.processes.is_first:
            self.folder.write_checkpoint({
                "progress": asdict(self.progress), "learner": self.learner.state(), "mean": self.recipe.mean, "scale": self.recipe.scale})

    # The run

    def run(self, should_stop=lambda: False, observe=lambda kind, report: None):
        """Until the last step, or until it is told to stop; then it saves. Returns whether the training is finished."""
        recipe, progress = self.recipe, self.progress
        learner = self.learner
        validate_steps = max(1, int(recipe.validate_every * max(1.0, self.pool.count / self.per_step) + 0.5))
        running, batches = learner.empty_matrix(), self.reading.in_background(self._batches(), BATCHES_AHEAD)
        last_save = time.monotonic()
        while progress.step < self.total_steps:
            begin = time.monotonic()
            prepared = [next(batches) for _ in range(recipe.accumulate // self.processes.count)]
            result = learner.step(progress.step, [(*self.augmentation(batch), origins) for batch, origins in prepared])
            progress.step += 1
            progress.place += self.per_step
            progress.seconds += time.monotonic() - begin
            running += result.confusion
            self._tell_step(result, running, time.monotonic() - begin, observe)
            is_last, stops = progress.step == self.total_steps, self.processes.any(should_stop())
            if self.validation and (is_last or progress.step % validate_steps == 0):
                self._validate(observe)
                running = learner.empty_matrix()
                self._save_checkpoint()
                last_save = time.monotonic()
            elif self.processes.any(stops or is_last or time.monotonic() - last_save > 60 * recipe.checkpoint_minutes):
                self._save_checkpoint()
                last_save = time.monotonic()
            if stops and not is_last:
                return False
        self._finish(observe)
        return True

    def _batches(self):
        """Those that fall to this process, from the place that comes next: prepared for augmentation, and the sources of their pictures."""
        size, start = self.recipe.batch_size, self.progress.place
        # Two readers of one sequence: of the pictures that are read ahead, and of where they come from.
        first, second = itertools.tee(
            [self._picture(place) for place in range(start + number * size, start + (number + 1) * size)]
            for number in itertools.count(self.processes.rank, self.processes.count))
        examples = self.reading.examples(picture for batch in first for entry in batch for picture in entry.pictures)
        while True:
            chosen = next(second)
            read = [list(itertools.islice(examples, len(entry.pictures))) for entry in chosen]
            donors = [(number, pictures[1]) for number, pictures in enumerate(read) if len(pictures) > 1]
            batch = self.augmentation.prepare([pictures[0] for pictures in read], [entry.place for entry in chosen], donors)
            yield batch, [entry.pictures[0][0] for entry in chosen]

    def _picture(self, place):
        source, number = self.order[place]
        donor = self.augmentation.donor(self.pool, place)
        pictures = [(source, self.pool.sources[source].samples[number])] + ([donor] if donor else [])
        return Chosen(place, pictures)

    def _tell_step(self, result, running, seconds, observe):
        progress = self.progress
        report = {
            "step": progress.step, "epoch": progress.place / self.pool.count, "loss": result.loss,
            "learningRate": self.learner.rate(progress.step - 1), "gradientNorm": result.gradient_norm,
            "runningMeanIoU": scores.Scores.of(running).mean_iou, "picturesPerSecond": self.per_step / max(seconds, 1e-9)}
        if self.processes.is_first:
            self.folder.write_log({"kind": "step", **report})
        left = progress.seconds / progress.step * (self.total_steps - progress.step)
        observe("step", {**report, "totalSteps": self.total_steps, "secondsLeft": left})
        if result.labelled_pixels == 0 and not self.recipe.teacher:
            observe("note", f"step {progress.step}: no pixel of the batch has a label; it changed nothing.")

    # Models

    def _validate(self, observe):
        self.learner.require_finite()
        progress, judge = self.progress, self.judge
        judge.load(self.learner.network, self.learner.average)
        # Running statistics lag behind the weights.
        if self._statistics_rule():
            judge.take_statistics(progress.place - 1, number=VALIDATION_STATISTICS_PICTURES)
        matrix = judge.score(self.validation)
        result = scores.Scores.of(matrix)
        score = result.mean_iou if self.recipe.metric == "mean-iou" else result.global_accuracy
        is_best = score is not None and score > progress.best_score
        if is_best:
            progress.best_score, progress.best_step = score, progress.step
        report = {
            "step": progress.step, "epoch": progress.place / self.pool.count, "globalAccuracy": result.global_accuracy,
            "classAverageAccuracy": result.class_average, "meanIoU": result.mean_iou,
            "classIoU": dict(zip(self.table.classes, result.iou)), "isBest": is_best,
            "neverPredicted": scores.never_predicted(matrix, self.table.classes)}
        if self.processes.is_first:
            self.folder.write_log({"kind": "validation", **report})
        if is_best:  # the model first: a checkpoint never speaks of a best model that is not there
            self._write_model("best")
        observe("validation", report)
        if score is None:
            observe("note", "no pixel of the validation pictures has a label, so no model can be called the best.")

    def _statistics_rule(self):
        """How a pass over pictures finds the statistics of the finished models; None for the running ones, which averaged weights lack."""
        rule = self.recipe.statistics
        return rule if rule != "running" else "exact" if self.learner.average else None

    def _finish(self, observe):
        """The statistics of the last and of the best model, by the recipe's rule, and their files."""
        rule = self._statistics_rule()

        def take_statistics(step):
            if rule:  # each data set by its share at the model's step
                self.judge.take_statistics(
                    max(0, step * self.per_step - 1), rule, progress=lambda *done: observe("statistics", done))

        self.judge.load(self.learner.network, self.learner.average)
        take_statistics(self.progress.step)
        self._write_model("last")
        if self.progress.best_step == self.progress.step:
            self._write_model("best")
        elif self.progress.best_step >= 0:
            self.judge.network.load(model_files.read(self.folder.path / "best.safetensors")[0])
            take_statistics(self.progress.best_step)
            self._write_model("best", self.progress.best_step)

    def _write_model(self, name, step=None):
        if not self.processes.is_first:
            return
        devices = f"{self.processes.count} x {self.device_name}" if self.processes.count > 1 else self.device_name
        model_files.write(
            self.folder.path / f"{name}.safetensors", self.judge.arrays(), self.description,
            name=f"{self.recipe.architecture}-{self.pool.name}", classes=self.table.classes, palette=self.table.palette,
            notes={"trained": f"step {step or self.progress.step} of {self.total_steps} on {self.pool.name}, {self.pool.count} pictures, by "
                              f"PyTorch {torch.__version__} on {devices}"})
