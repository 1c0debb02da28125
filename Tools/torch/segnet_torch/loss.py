"""What a training makes small (Sources/CSegNetKernels/training.inc.h)."""

import torch
import torch.nn.functional as F

from .labels import IGNORED

_GREATEST = 87.33654475055310  # -log of the smallest float: what one pixel's loss is at most, as the original has it


def labelled_pixels(labels, class_weights):
    """(number of labelled pixels, sum of their class weights), as float64 on the device."""
    counts = torch.bincount(labels.flatten(), minlength=IGNORED + 1)[: len(class_weights)].double()
    return torch.stack([counts.sum(), (counts * class_weights.double()).sum()])


def cross_entropy(scores, labels, class_weights, divisor, named=None, smoothing=0.0):
    """Weighted cross-entropy over the labelled pixels / divisor: sum of w[label] * -sum_c q_c log p_c.

    scores: [B, K, H, W]; labels: [B, H, W]; named: [B, K] booleans, the classes that the labels of each picture can name, or None where
    all can. The softmax runs over these and the class of the pixel, so that a class that nobody painted is not taught to be absent. The
    target q is (1 - smoothing) at the label, and smoothing / n at each of the n classes that take part.
    """
    scores = scores.float()
    is_labelled = labels != IGNORED
    known = labels.masked_fill(~is_labelled, 0)
    count = scores.shape[1]
    if named is not None:
        scores = scores.masked_fill(~taking_part(known, named), float("-inf"))
    logarithms = F.log_softmax(scores, 1)
    losses = -logarithms.gather(1, known[:, None])[:, 0]
    if smoothing > 0:
        if named is not None:
            part = taking_part(known, named)
            count = part.sum(1)
            logarithms = torch.where(part, logarithms, 0)
        losses = (1 - smoothing) * losses - smoothing * logarithms.sum(1) / count
    # Beyond the greatest loss the value stands still while the gradient goes on, as in the original.
    losses = losses + (losses.clamp(max=_GREATEST) - losses).detach()
    return (losses * class_weights[known] * is_labelled).sum(dtype=torch.float64) / divisor


def jaccard(scores, labels, named=None):
    """The soft Jaccard index of a batch: the mean IoU over the classes that some label names, with probabilities in place of decisions.

    Only labelled pixels count. scores, labels and named as for `cross_entropy`.
    """
    is_labelled = labels != IGNORED
    known = labels.masked_fill(~is_labelled, 0)
    scores = scores.float()
    if named is not None:
        scores = scores.masked_fill(~taking_part(known, named), float("-inf"))
    probabilities = scores.softmax(1) * is_labelled[:, None]
    own = F.one_hot(known, scores.shape[1]).permute(0, 3, 1, 2) * is_labelled[:, None]
    predicted = probabilities.sum((0, 2, 3), dtype=torch.float64)
    correct = (probabilities * own).sum((0, 2, 3), dtype=torch.float64)
    labelled = own.sum((0, 2, 3), dtype=torch.float64)
    present = labelled > 0
    union = (predicted + labelled - correct).clamp(min=1)
    return (correct / union)[present].mean() if present.any() else torch.ones((), dtype=torch.float64, device=scores.device)


def distillation(scores, teacher, temperature):
    """The sum over pixels of the Kullback-Leibler divergence from the teacher's softened probabilities (Hinton, Vinyals and Dean, arXiv
    1503.02531), times temperature squared."""
    own, wanted = (F.log_softmax(value.float() / temperature, 1) for value in (scores, teacher))
    return temperature**2 * (wanted.exp() * (wanted - own)).sum(dtype=torch.float64)


def taking_part(labels, named):
    """[B, K, H, W]: the classes of each pixel's softmax: those that the picture's labels can name, and its own."""
    own = F.one_hot(labels, named.shape[1]).permute(0, 3, 1, 2).bool()
    return named[:, :, None, None] | own


def predictions(scores, labels=None, named=None):
    """The class of each pixel, among those that take part; the highest of equal ones."""
    from .layers import class_ids

    if named is not None:
        known = labels.masked_fill(labels == IGNORED, 0)
        scores = scores.masked_fill(~(taking_part(known, named)), float("-inf"))
    return class_ids(scores)
