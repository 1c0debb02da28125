"""What takes gradients to parameters (Sources/SegNetTraining/Optimizers): rules, schedules, averaged weights."""

import math

import torch

from .errors import UserError


class Optimizer:
    """SGD in Caffe's form, v = momentum v + rate (g + decay w), w -= v; or AdamW, whose decay is separate from the gradient.

    Each parameter has a factor of the rate and of the decay: by its kind (`multipliers`) and by its layer (`rates`, `freeze`).
    """

    def __init__(self, settings, multipliers, parameters, rates, frozen):
        """parameters: by name; rates: factors by layer; frozen: layers that do not learn."""
        self.settings, self.steps = settings, 0
        self.names, self.parameters, self.factors, self.decays = [], [], [], []
        for name, parameter in parameters.items():
            layer, kind = name.rsplit(".", 1)
            multiplier = getattr(multipliers, kind)
            if layer in frozen or multiplier.learning_rate == 0:
                parameter.requires_grad_(False)
                continue
            self.names.append(name)
            self.parameters.append(parameter)
            self.factors.append(multiplier.learning_rate * rates.get(layer, 1.0))
            self.decays.append(settings.weight_decay * multiplier.decay)
        count = 1 if settings.kind == "sgd" else 2
        self.memories = [[torch.zeros_like(parameter) for parameter in self.parameters] for _ in range(count)]

    def gradients(self):
        """Zeros for what the loss does not reach."""
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        return [parameter.grad for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate):
        """One step with the gradients that the parameters hold; returns their norm. An error, and no change, if one is not finite."""
        gradients = self.gradients()
        norms = torch.stack(torch._foreach_norm(gradients))
        norm = float(norms.double().norm())
        if not math.isfinite(norm):
            broken = self.names[int((~norms.isfinite()).nonzero()[0])]
            raise Diverged(f"the gradient of {broken}")
        settings = self.settings
        if settings.clip_norm is not None and norm > settings.clip_norm:
            torch._foreach_mul_(gradients, settings.clip_norm / norm)
        self.steps += 1
        rates = [rate * factor for factor in self.factors]
        if settings.kind == "sgd":
            (velocities,) = self.memories
            pulls = torch._foreach_add(gradients, torch._foreach_mul(self.parameters, self.decays))
            torch._foreach_mul_(pulls, rates)
            torch._foreach_mul_(velocities, settings.momentum)
            torch._foreach_add_(velocities, pulls)
            torch._foreach_sub_(self.parameters, velocities)
            return norm
        first, second = self.memories
        torch._foreach_lerp_(first, gradients, 1 - settings.beta1)
        torch._foreach_mul_(second, settings.beta2)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - settings.beta2)
        divisors = torch._foreach_sqrt(torch._foreach_div(second, 1 - settings.beta2**self.steps))
        torch._foreach_add_(divisors, settings.epsilon)
        changes = torch._foreach_div(first, divisors)
        torch._foreach_div_(changes, 1 - settings.beta1**self.steps)
        torch._foreach_add_(changes, torch._foreach_mul(self.parameters, self.decays))
        torch._foreach_mul_(changes, rates)
        torch._foreach_sub_(self.parameters, changes)
        return norm

    def state(self):
        return {"steps": self.steps, "memories": [dict(zip(self.names, memory)) for memory in self.memories]}

    def load(self, state):
        if [set(memory) for memory in state["memories"]] != [set(self.names)] * len(self.memories):
            raise UserError("the checkpoint's optimiser is of another kind, or other layers learnt there; give the recipe of that training.")
        self.steps = state["steps"]
        for own, saved in zip(self.memories, state["memories"]):
            for name, tensor in zip(self.names, own):
                tensor.copy_(saved[name])


class Diverged(Exception):
    """A number is not finite any more; the text says which."""


class Average:
    """An exponential average of the parameters: at most `decay` of it is kept at a step; it follows faster at first."""

    def __init__(self, decay, parameters):
        self.decay, self.steps = decay, 0
        self.parameters = parameters
        self.values = {name: parameter.detach().clone() for name, parameter in parameters.items()}

    @torch.no_grad()
    def update(self):
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.values.values()), [parameter.detach() for parameter in self.parameters.values()], 1 - keep)


def rate_factor(schedule, step, total):
    """What the base rate is multiplied by at a step from 0 (Schedule.swift)."""
    rise = min(1.0, (step + 1) / schedule.warm_up) if schedule.warm_up > 0 else 1.0
    done = max(0.0, min(1.0, (step - schedule.warm_up) / max(1, total - schedule.warm_up)))

    def cosine(share):
        return schedule.final + (1 - schedule.final) * 0.5 * (1 + math.cos(math.pi * share))

    if schedule.kind == "step":
        return rise * schedule.gamma ** (max(0, step - schedule.warm_up) // max(1, schedule.every))
    if schedule.kind == "poly":
        return rise * (1 - done) ** schedule.power
    if schedule.kind == "cosine":
        return rise * cosine(done)
    if schedule.kind == "one-cycle":
        if done < schedule.peak:
            return rise * (schedule.start + (1 - schedule.start) * done / max(schedule.peak, 1e-9))
        return rise * cosine((done - schedule.peak) / max(1 - schedule.peak, 1e-9))
    return rise
