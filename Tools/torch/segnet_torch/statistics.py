"""The statistics of batch normalisation over pictures (Sources/SegNetTraining/Trainer/StatisticsPass.swift).

Each picture once and as it is; every layer is fed by what the layers before it make of their own batch, dropout idle.
"""

import torch


def batch_size(training, rule):
    """Pictures that are normalised together, for a training with batches of so many: eight where those are fewer, and at most four times as
    many (StatisticsPass.batchSize)."""
    return training if rule == "original" else max(training, min(8, 4 * training))


@torch.no_grad()
def take(network, pictures, batch_size, *, read_ahead, to_batch, processes, rule="exact", progress=lambda done, total: None):
    """Replaces the network's statistics.

    pictures: (source, sample, weight); read_ahead(pictures): their examples in order; to_batch(examples): pixels on the device; rule:
    `exact`, mean and variance over all pixels by the law of total variance, or `original`, the mean of the batches' variances.
    """
    network.learn(False)
    modules = [module for _, module in network.normalizations]
    for module in modules:
        module.learns = True
    # By layer: pixels, sums of mean and of mean square; batches, plain sums of mean and of variance.
    sums = [torch.zeros(6, module.channels, dtype=torch.float64, device=module.mean.device) for module in modules]
    # Each process takes a piece in one, so that its batches are, but for their edges, those of a single process.
    first, last = (len(pictures) * number // processes.count for number in (processes.rank, processes.rank + 1))
    own, done = pictures[first:last], 0
    for examples, weight in _batches(own, read_ahead(own), batch_size):
        pixels = to_batch(examples)
        network(pixels)
        count = float(pixels.shape[0] * pixels.shape[2] * pixels.shape[3])
        for total, module in zip(sums, modules):
            mean, variance = (value.double() for value in module.last)
            one = torch.ones_like(mean)
            total += weight * torch.stack([count * one, count * mean, count * (variance + mean * mean), one, mean, variance])
            module.last = None
        done += len(examples)
        progress(done, len(own))
    processes.sum_all(sums)
    for total, module in zip(sums, modules):
        count, means, squares, batches, plain_means, plain_variances = total
        if rule == "original":
            mean, variance = plain_means / batches, plain_variances / batches
        else:
            mean = means / count
            variance = (squares / count - mean * mean).clamp(min=0)
        module.mean.copy_(mean)
        module.variance.copy_(variance)
    network.learn(False)


def _batches(pictures, examples, size):
    """(examples, weight): batches as equal as their number allows, of pictures of one size that count the same."""
    batch, wanted, batch_weight = [], 0, 0.0
    for place, (example, (_, _, weight)) in enumerate(zip(examples, pictures)):
        if batch and (len(batch) == wanted or example.size != batch[0].size or weight != batch_weight):
            yield batch, batch_weight
            batch = []
        if not batch:
            left = len(pictures) - place
            wanted = -(-left // -(-left // size))
            batch_weight = weight
        batch.append(example)
    if batch:
        yield batch, batch_weight
