"""One step of a training: the loss of its batches, their gradients, the change of the weights (Sources/SegNetCPU/Learning/Learner.swift)."""

import math
from dataclasses import dataclass

import torch

from . import arithmetic, loss, optimizers, scores
from .optimizers import Diverged

STATISTICS_MOMENTUM = 0.9  # what running statistics keep of the old value at a step


@dataclass
class Computing:
    """How a machine computes, which no recipe says."""

    precision: str = "float32"  # of convolutions: float32, tf32 or bf16
    float32_share: float = 0.1  # with bf16: the part of the steps, at the end, in TF32
    threads: int = None


@dataclass
class StepResult:
    loss: float
    labelled_pixels: int
    gradient_norm: float
    confusion: torch.Tensor  # [K, K], over the pictures of the step


class Learner:
    """The network while it learns, with what its optimiser and its averaged weights remember."""

    def __init__(self, network, recipe, processes, computing, *, class_weights, named, rates, frozen, total_steps, teacher=None):
        """class_weights: [K]; named: [sources, K] booleans, the classes that the labels of each source can name, or None where all can;
        rates: factors by layer; frozen: layers that do not learn; teacher: a finished network."""
        self.network, self.recipe, self.processes, self.computing = network, recipe, processes, computing
        self.device, self.total_steps = processes.device, total_steps
        self.class_weights, self.named, self.teacher = class_weights, named, teacher
        # The sources whose labels name all classes; empty: none, or a single source.
        self.complete_sources = set() if named is None else {number for number, row in enumerate(named.tolist()) if all(row)}
        self.has_dropout = any(layer["kind"] == "dropout" for layer in network.description["layers"])
        self.parameters = network.parameters_by_name()
        self.optimizer = optimizers.Optimizer(recipe.optimizer, recipe.multipliers, self.parameters, rates, frozen)
        self.average = optimizers.Average(recipe.average, self.parameters) if recipe.average > 0 else None
        self.statistics_batches = 0

    def rate(self, step):
        """The learning rate of a step from 0."""
        return self.recipe.learning_rate * optimizers.rate_factor(self.recipe.schedule, step, self.total_steps)

    def empty_matrix(self):
        return torch.zeros(len(self.class_weights), len(self.class_weights), dtype=torch.int64, device=self.device)

    def require_finite(self):
        for name, parameter in self.parameters.items():
            if not bool(parameter.isfinite().all()):
                raise Diverged(f"the parameter {name}")

    # Checkpoints

    def state(self):
        return {
            "tensors": {name: tensor.detach() for name, tensor in self.network.tensors().items()}, "optimizer": self.optimizer.state(),
            "average": {"steps": self.average.steps, "values": self.average.values} if self.average else None,
            "statistics_batches": self.statistics_batches}

    @torch.no_grad()
    def load(self, state):
        self.network.load(state["tensors"])
        self.optimizer.load(state["optimizer"])
        self.statistics_batches = state["statistics_batches"]
        if self.average and state["average"]:
            self.average.steps = state["average"]["steps"]
            for name, tensor in self.average.values.items():
                tensor.copy_(state["average"]["values"][name])
        elif self.average:  # it begins here
            self.average = optimizers.Average(self.recipe.average, self.parameters)

    # Steps

    def step(self, number, batches):
        """A step from 0, with the batches that fall to this process: pictures, labels, the sources of the pictures."""
        totals = torch.zeros(3, dtype=torch.float64, device=self.device)
        for _, labels, _ in batches:
            totals[:2] += loss.labelled_pixels(labels, self.class_weights)
            totals[2] += len(labels)
        # The loss's divisor is known before the first batch runs, so that several batches add up to the gradient of all.
        labelled, weight, pictures = self.processes.sum(totals).tolist()
        matrix = self.empty_matrix()
        if labelled == 0 and not self.teacher:
            return StepResult(0.0, 0, 0.0, matrix)
        divisor = {"labelled-pixels": labelled, "weights": weight, "pictures": pictures}[self.recipe.loss_divisor] or 1
        for parameter in self.parameters.values():
            parameter.grad = None
        self.network.learn()
        found = 0.0
        with arithmetic.of_training(self.computing.precision):
            for index, (pixels, labels, origins) in enumerate(batches):
                self._seed_dropout(number, index)
                part = self._forward_and_backward(number, pixels, labels, origins, divisor, matrix)
                if not math.isfinite(part):
                    raise Diverged(self._first_broken(pixels))
                found += part
                self._follow_statistics()
        self.processes.sum_all(self.optimizer.gradients())
        self._share_statistics()
        norm = self.optimizer.step(self.rate(number))
        if self.average:
            self.average.update()
        total = self.processes.sum(torch.tensor(found, dtype=torch.float64, device=self.device))
        return StepResult(float(total), int(labelled), norm, self.processes.sum(matrix))

    def _seed_dropout(self, step, index):
        """What is dropped is a function of the seed and the batch, so that a training can go on from anywhere."""
        if self.has_dropout:
            batch = step * self.recipe.accumulate + index * self.processes.count + self.processes.rank
            torch.manual_seed((self.recipe.seed * 0x9E37_79B9 + batch) & (1 << 63) - 1)

    def _forward_and_backward(self, step, pixels, labels, origins, divisor, matrix):
        """The loss of a batch; adds to the confusion matrix."""
        is_late = step >= (1 - self.computing.float32_share) * self.total_steps
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.computing.precision == "bf16" and not is_late):
            result = self.network(pixels)
            with torch.no_grad():
                taught = self.teacher(pixels) if self.teacher else None
        named = self.named[origins] if self.named is not None else None
        value = loss.cross_entropy(result, labels, self.class_weights, divisor, named, self.recipe.label_smoothing)
        if self.recipe.jaccard_weight > 0:
            share = self.recipe.jaccard_weight / self.recipe.accumulate
            value = value + share * (1 - loss.jaccard(result, labels, named))
        if self.teacher:
            value = self._taught(value, result, taught)
        value.backward()
        with torch.no_grad():
            counted = self._counted(origins)
            given = loss.predictions(result, labels, named)
            matrix += scores.confusion(labels[counted], given[counted], len(self.class_weights))
        return float(value.detach())

    def _taught(self, value, result, taught):
        """The labels' loss and the teacher's, each by its share. The teacher's is a mean over all pixels of the step: it names all classes on
        every pixel, whatever the labels name."""
        settings, recipe = self.recipe.teacher, self.recipe
        pixels = recipe.batch_size * recipe.accumulate * result.shape[2] * result.shape[3]
        return (1 - settings.share) * value + settings.share * loss.distillation(result, taught, settings.temperature) / pixels

    def _counted(self, origins):
        """The pictures that count in the score that is shown: where labels name some classes only, what was predicted falsely for the others
        cannot be told, so those pictures count only if no data set names all."""
        complete = self.complete_sources
        return [number for number, origin in enumerate(origins) if not complete or origin in complete]

    @torch.no_grad()
    def _follow_statistics(self):
        """Running statistics. The first batches count fully, so that the initial 0 and 1 are forgotten at once."""
        count = self.statistics_batches
        keep = min(STATISTICS_MOMENTUM, count / (count + 1))
        for _, module in self.network.normalizations:
            for own, new in zip((module.mean, module.variance), module.last):
                own.mul_(keep).add_(new, alpha=1 - keep)
            module.last = None
        self.statistics_batches += 1

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
