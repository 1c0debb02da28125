"""The statistics of batch normalisation over pictures (Sources/SegNetTraining/Trainer/StatisticsPass.swift).

Pictures as they are; every layer is fed by what the layers before it make of their own batch, dropout idle. Pictures that follow each
other are normalised together, so they must be mixed as a training's batches are (Pool.representatives).
"""

import torch


def batch_size(training, rule):
    """Pictures that are normalised together, for a training with batches of so many: eight where those are fewer, and at most four times as
    many (StatisticsPass.batchSize)."""
    return training if rule == "original" else max(training, min(8, 4 * training))


@torch.no_grad()
def take(network, pictures, batch_size, *, read_ahead, to_batch, processes, rule="exact", progress=lambda done, total: None):
    """Replaces the network's statistics.

    pictures: (source, sample); read_ahead(pictures): their examples in order; to_batch(examples): pixels on the device; rule: `exact`,
    mean and variance by the law of total variance, each picture counting alike, or `original`, the mean of the batches' variances.
    """
    network.learn(False)
    modules = [module for _, module in network.normalizations]
    for module in modules:
        module.learns = True
    # By layer: pictures, sums of mean and of mean square; batches, plain sums of mean and of variance.
    sums = [torch.zeros(6, module.channels, dtype=torch.float64, device=module.mean.device) for module in modules]
    # Each process takes a piece in one, so that its batches are, but for their edges, those of a single process.
    first, last = (len(pictures) * number // processes.count for number in (processes.rank, processes.rank + 1))
    own, done = pictures[first:last], 0
    for examples in _batches(read_ahead(own), len(own), batch_size):
        pixels = to_batch(examples)
        network(pixels)
        count = float(len(examples))
        for total, module in zip(sums, modules):
            mean, variance = (value.double() for value in module.last)
            one = torch.ones_like(mean)
            total += torch.stack([count * one, count * mean, count * (variance + mean * mean), one, mean, variance])
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


def _batches(examples, total, size):
    """Batches as equal as their number allows, of pictures of one size; `total`: how many examples there are."""
    waiting = []  # (examples, how many of them make a batch) of each size
    for place, example in enumerate(examples):
        group = next((group for group in waiting if group[0][0].size == example.size), None)
        if group is None:
            left = total - place
            group = [], -(-left // -(-left // size))
            waiting.append(group)
        group[0].append(example)
        if len(group[0]) < group[1]:
            if sum(len(examples) for examples, _ in waiting) < 4 * size:
                continue
            # Pictures of many sizes must not fill the memory.
            group = max(waiting, key=lambda group: len(group[0]))
        waiting = [other for other in waiting if other is not group]
        yield group[0]
    for examples, _ in waiting:
        yield examples
