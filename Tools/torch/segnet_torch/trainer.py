"""Trains a network: batches, steps, validation, checkpoints, logs, and at the end a model that is ready to use.

The parts are the package's (Sources/SegNetTraining/Trainer). A step's batches (`accumulate`) are dealt out to the processes, so that a
recipe means the same on one GPU and on several.
"""

import itertools
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from . import architectures, arithmetic, class_weights, loss, model_files, optimizers, scores, sources, starting_weights
from .augmentation import Augmentation
from .errors import UserError
from .judge import VALIDATION_STATISTICS_PICTURES, Judge
from .network import Network, layer_patterns
from .optimizers import Diverged
from .pool import PoolOrder
from .reading import Reading
from .run_folder import RunFolder

BATCHES_AHEAD = 2
STATISTICS_MOMENTUM = 0.9  # what running statistics keep of the old value at a step


@dataclass
class Progress:
    step: int = 0
    place: int = 0  # pictures before the next step
    seconds: float = 0.0
    best_score: float = -1.0
    best_step: int = -1
    statistics_batches: int = 0
    fingerprint: str = ""


@dataclass
class Computing:
    """How a machine computes, which no recipe says."""

    precision: str = "float32"  # of convolutions: float32, tf32 or bf16
    float32_share: float = 0.1  # with bf16: the part of the steps, at the end, in TF32
    threads: int = None


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
        self.augmentation = Augmentation(recipe.augmentation, recipe.seed, self.device)
        shares = self.pool.shares_of_training(self.total_steps * self.per_step)
        weights, notes = class_weights.of_recipe(recipe, self.pool, shares, self.reading.ahead)
        self.notes += self._note_of_sources() + notes
        self.class_weights = torch.tensor(weights, dtype=torch.float32, device=self.device)
        self.named = self._named_classes()
        self.folder = RunFolder(Path(output))
        saved = self.folder.begin(resume)
        self._make_network(saved)
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
        """Of whole pictures: what the finished model expects."""
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

    def _make_network(self, saved):
        recipe = self.recipe
        mean, scale = self._input(saved)
        self.description = architectures.network(
            recipe.architecture, len(self.table.classes), width=recipe.width, size=self.picture_size, mean=mean, scale=scale)
        self.network = Network(self.description).to(self.device)
        frozen = layer_patterns(recipe.freeze, self.network.names, "freeze")
        rates = {layer: recipe.rates[pattern]
                 for pattern, layers in layer_patterns(recipe.rates, self.network.names, "rates").items() for layer in layers}
        self.has_dropout = any(layer["kind"] == "dropout" for layer in self.description["layers"])
        if saved is None:
            self.network.initialize(recipe.seed, recipe.initialization == "xavier")
            if recipe.encoder:
                self.notes.append(starting_weights.load_encoder(self.network, recipe.encoder))
            if recipe.model:
                self.notes.append(starting_weights.load_model(self.network, recipe.model, self._unfolding_pictures))
        if self.device.type == "cuda":
            self.network.to(memory_format=torch.channels_last)
        self.parameters = self.network.parameters_by_name()
        self.optimizer = optimizers.Optimizer(
            recipe.optimizer, recipe.multipliers, self.parameters, rates, {layer for layers in frozen.values() for layer in layers})
        self.average = optimizers.Average(recipe.average, self.parameters) if recipe.average > 0 else None

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
                raise UserError(f"{setting}: has {len(values)} numbers, the inputs have 3 channels; give one number for all, or one each for "
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
        for example, (_, _, weight) in zip(self.reading.examples(pictures), pictures):
            with arithmetic.exact():
                yield self.reading.whole([example]), weight

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
                raise UserError(f"{self.folder.checkpoint}: is of a training of '{known}', this is '{fingerprint}'; begin a new run (--output).")
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

    # Checkpoints

    def _state(self):
        return {
            "progress": asdict(self.progress), "mean": self.recipe.mean, "scale": self.recipe.scale,
            "tensors": {name: tensor.detach() for name, tensor in self.network.tensors().items()}, "optimizer": self.optimizer.state(),
            "average": {"steps": self.average.steps, "values": self.average.values} if self.average else None}

    @torch.no_grad()
    def _restore(self, saved):
        self.progress = Progress(**saved["progress"])
        self.network.load(saved["tensors"])
        self.optimizer.load(saved["optimizer"])
        if self.average and saved["average"]:
            self.average.steps = saved["average"]["steps"]
            for name, tensor in self.average.values.items():
                tensor.copy_(saved["average"]["values"][name])
        elif self.average:  # it begins here
            self.average = optimizers.Average(self.recipe.average, self.parameters)

    def _save_checkpoint(self):
        self._require_finite()
        if self.processes.is_first:
            self.folder.write_checkpoint(self._state())

    def _require_finite(self):
        for name, parameter in self.parameters.items():
            if not bool(parameter.isfinite().all()):
                raise Diverged(f"the parameter {name}")

    # The run

    def run(self, should_stop=lambda: False, observe=lambda kind, report: None):
        """Until the last step, or until it is told to stop; then it saves. Returns whether the training is finished."""
        recipe, progress = self.recipe, self.progress
        validate_steps = max(1, int(recipe.validate_every * max(1.0, self.pool.count / self.per_step) + 0.5))
        running, batches = self._empty_matrix(), self.reading.in_background(self._batches(), BATCHES_AHEAD)
        last_save = time.monotonic()
        while progress.step < self.total_steps:
            begin, rate = time.monotonic(), self._rate()
            found, labelled, norm, matrix = self._step([next(batches) for _ in range(recipe.accumulate // self.processes.count)])
            progress.step += 1
            progress.place += self.per_step
            seconds = time.monotonic() - begin
            progress.seconds += seconds
            running += matrix
            report = {
                "step": progress.step, "epoch": progress.place / self.pool.count, "loss": found, "learningRate": rate, "gradientNorm": norm,
                "runningMeanIoU": scores.Scores.of(running).mean_iou, "picturesPerSecond": self.per_step / max(seconds, 1e-9)}
            if self.processes.is_first:
                self.folder.write_log({"kind": "step", **report})
            left = progress.seconds / progress.step * (self.total_steps - progress.step)
            observe("step", {**report, "totalSteps": self.total_steps, "secondsLeft": left})
            if labelled == 0:
                observe("note", f"step {progress.step}: no pixel of the batch has a label; it changed nothing.")
            is_last, stops = progress.step == self.total_steps, self.processes.any(should_stop())
            if self.validation and (is_last or progress.step % validate_steps == 0):
                self._validate(observe)
                running = self._empty_matrix()
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
            (*self._picture(place), place) for number in itertools.count(self.processes.rank, self.processes.count)
            for place in range(start + number * size, start + (number + 1) * size))
        examples = self.reading.examples(first)
        while True:
            chosen = list(itertools.islice(second, size))
            batch = self.augmentation.prepare(list(itertools.islice(examples, size)), [place for *_, place in chosen])
            yield batch, [source for source, *_ in chosen]

    def _picture(self, place):
        source, number = self.order[place]
        return source, self.pool.sources[source].samples[number]

    def _rate(self):
        return self.recipe.learning_rate * optimizers.rate_factor(self.recipe.schedule, self.progress.step, self.total_steps)

    def _empty_matrix(self):
        count = len(self.table.classes)
        return torch.zeros(count, count, dtype=torch.int64, device=self.device)

    # One step

    def _step(self, batches):
        """(loss, labelled pixels, norm of the gradient, confusion matrix)"""
        ready = [(*self.augmentation(prepared), origins) for prepared, origins in batches]
        totals = torch.zeros(2, dtype=torch.float64, device=self.device)
        for _, labels, _ in ready:
            totals += loss.labelled_pixels(labels, self.class_weights)
        # What the loss is divided by is known before the first batch runs, so that several give the gradient of all.
        labelled, weight = self.processes.sum(totals).tolist()
        matrix = self._empty_matrix()
        if labelled == 0:
            return 0.0, 0, 0.0, matrix
        divisor = labelled if self.recipe.loss_divisor == "labelled-pixels" else weight
        for parameter in self.parameters.values():
            parameter.grad = None
        self.network.learn()
        found = 0.0
        with arithmetic.of_training(self.computing.precision):
            for index, (pixels, labels, origins) in enumerate(ready):
                self._seed_dropout(index)
                part = self._forward_and_backward(pixels, labels, origins, divisor, matrix)
                if not math.isfinite(part):
                    raise Diverged(self._first_broken(pixels))
                found += part
                self._follow_statistics()
        self.processes.sum_all(self.optimizer.gradients())
        self._share_statistics()
        norm = self.optimizer.step(self._rate())
        if self.average:
            self.average.update()
        total = self.processes.sum(torch.tensor(found, dtype=torch.float64, device=self.device))
        return float(total), int(labelled), norm, self.processes.sum(matrix)

    def _seed_dropout(self, index):
        """What is dropped is a function of the seed and the batch, so that a training can go on from anywhere."""
        if self.has_dropout:
            batch = self.progress.step * self.recipe.accumulate + index * self.processes.count + self.processes.rank
            torch.manual_seed((self.recipe.seed * 0x9E37_79B9 + batch) & (1 << 63) - 1)

    def _forward_and_backward(self, pixels, labels, origins, divisor, matrix):
        """The loss of a batch; adds to the confusion matrix."""
        is_late = self.progress.step >= (1 - self.computing.float32_share) * self.total_steps
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.computing.precision == "bf16" and not is_late):
            result = self.network(pixels)
        named = self.named[origins] if self.named is not None else None
        value = loss.cross_entropy(result, labels, self.class_weights, divisor, named, self.recipe.label_smoothing)
        value.backward()
        with torch.no_grad():
            counted = self._counted(origins)
            given = loss.predictions(result, labels, named)
            matrix += scores.confusion(labels[counted], given[counted], len(self.table.classes))
        return float(value.detach())

    def _counted(self, origins):
        """The pictures that count in the score that is shown: where labels name some classes only, what was predicted falsely for the others
        cannot be told, so those pictures count only if no data set names all."""
        names_all = [source.named is None for source in self.pool.sources]
        return [number for number, origin in enumerate(origins) if names_all[origin] or not any(names_all)]

    @torch.no_grad()
    def _follow_statistics(self):
        """Running statistics. The first batches count fully, so that the initial 0 and 1 are forgotten at once."""
        count = self.progress.statistics_batches
        keep = min(STATISTICS_MOMENTUM, count / (count + 1))
        for _, module in self.network.normalizations:
            for own, new in zip((module.mean, module.variance), module.last):
                own.mul_(keep).add_(new, alpha=1 - keep)
            module.last = None
        self.progress.statistics_batches += 1

    @torch.no_grad()
    def _share_statistics(self):
        """Each process has followed its own batches; from here on all have the mean."""
        if self.processes.count > 1:
            buffers = [buffer for _, module in self.network.normalizations for buffer in (module.mean, module.variance)]
            self.processes.sum_all(buffers)
            torch._foreach_div_(buffers, self.processes.count)

    @torch.no_grad()
    def _first_broken(self, pixels):
        """The first layer that gives numbers that are not finite."""
        names, broken = [], []

        def observe(name, inputs):
            maps = [x for x in inputs if isinstance(x, torch.Tensor)]
            if names and not broken and not all(bool(x.isfinite().all()) for x in maps):
                broken.append(names[-1])
            names.append(name)

        self.network(pixels, observe)
        return f"the output of layer '{(broken or names[-1:])[0]}'"

    # Models

    def _validate(self, observe):
        self._require_finite()
        progress, judge = self.progress, self.judge
        judge.load(self.network, self.average)
        if self.average:  # running statistics belong to the weights of the last steps, not to averaged ones
            judge.take_statistics(progress.place - 1, number=VALIDATION_STATISTICS_PICTURES)
        matrix = judge.score(self.validation)
        result = scores.Scores.of(matrix)
        score = (result.mean_iou if self.recipe.metric == "mean-iou" else result.global_accuracy) or 0.0
        is_best = score > progress.best_score
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

    def _finish(self, observe):
        """The statistics of the last and of the best model, by the recipe's rule, and their files."""
        def take_statistics():
            if self.recipe.statistics != "running":
                self.judge.take_statistics(
                    max(0, self.progress.place - 1), self.recipe.statistics, progress=lambda *done: observe("statistics", done))

        self.judge.load(self.network, self.average)
        take_statistics()
        self._write_model("last")
        if self.progress.best_step == self.progress.step:
            self._write_model("best")
        elif self.progress.best_step >= 0:
            self.judge.network.load(model_files.read(self.folder.path / "best.safetensors")[0])
            take_statistics()
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
