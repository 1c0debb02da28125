"""Region scores of a confusion matrix (Sources/SegNetEvaluation/ConfusionMatrix.swift; paper, section 3.3)."""

from dataclasses import dataclass

import torch

from .labels import IGNORED


def confusion(labels, predictions, count):
    """[K, K] of int64: pixels of each true class that were given each class."""
    known = labels != IGNORED
    pairs = labels[known] * count + predictions[known]
    return torch.bincount(pairs, minlength=count * count).view(count, count)


@dataclass
class Scores:
    """Fractions 0...1; None where nothing is labelled. Means are over the classes that occur in truth or prediction."""

    global_accuracy: float
    class_average: float
    mean_iou: float
    iou: list

    @classmethod
    def of(cls, matrix):
        matrix = matrix.cpu().double()
        right, truth, given = matrix.diag(), matrix.sum(1), matrix.sum(0)
        union = truth + given - right
        occurs = union > 0
        if not truth.sum() > 0:
            return cls(None, None, None, [None] * len(matrix))
        iou, accuracy = right / union.clamp(min=1), right / truth.clamp(min=1)
        return cls(
            float(right.sum() / truth.sum()), float(accuracy[occurs].mean()), float(iou[occurs].mean()),
            [float(value) if is_there else None for value, is_there in zip(iou, occurs)])


def never_predicted(matrix, names):
    """Classes that occur in the truth and were never predicted."""
    truth, given = matrix.sum(1).tolist(), matrix.sum(0).tolist()
    return [name for name, there, found in zip(names, truth, given) if there > 0 and found == 0]
