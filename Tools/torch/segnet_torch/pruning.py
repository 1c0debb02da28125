"""Cuts a trained network down to the widths of a narrower one with the same layers (ChannelPruning.swift, StartingWeights+Pruning.swift).

The most important channels of each map are kept; the filters that make or read the others are removed. Maps whose channels belong
together lose the same ones: an encoder's map and the decoder's that is unpooled by its indices.

A channel matters as much as its mean square behind batch normalisation and ReLU, times the squares of the weights that read it, each
relative to the map's other channels: about the size of what its readers lose without it.

Here a convolution mixes all channels and nothing adds or joins maps: the networks that this program trains have no other layers.
"""

import copy
import math

import numpy as np


def classifier(description):
    """The name of the layer that makes class scores: the last convolution."""
    return [layer["name"] for layer in description["layers"] if layer["kind"] == "convolution"][-1]


def widened(description, other):
    """A network's description with the widths that another one with the same layers has before its scores; None if it is nowhere wider."""
    theirs = {}
    for layer in other["layers"]:
        theirs.setdefault(layer["name"], layer)
    result = copy.deepcopy(description)
    is_wider = False
    for layer in result["layers"]:
        if layer["name"] == classifier(description):
            break
        wider = theirs.get(layer["name"])
        if layer["kind"] != "convolution" or wider is None or wider["kind"] != "convolution":
            continue
        if wider["parameters"]["outputChannels"] > layer["parameters"]["outputChannels"]:
            layer["parameters"]["outputChannels"] = wider["parameters"]["outputChannels"]
            is_wider = True
    return result if is_wider and _fits_together(result) else None


def _fits_together(description):
    """Whether maps with common channels have the same number of them."""
    counts = {}
    convolutions = [(group, layer["parameters"]["outputChannels"])
                    for layer, (_, group) in zip(description["layers"], map_groups(description)) if layer["kind"] == "convolution"]
    return all(counts.setdefault(group, count) == count for group, count in convolutions)


def map_groups(description):
    """For each layer, (the group of the map that it reads first, the group of those that it writes): maps of a group cannot lose a channel
    without the others."""
    parents = [0]  # each group is named by one of its maps; a map's parent leads there

    def root(number):
        return number if parents[number] == number else root(parents[number])

    blobs = {description["input"]["name"]: 0}
    maps = []
    for layer in description["layers"]:
        read = [blobs[blob] for blob in layer["inputs"]]
        written = read[0]
        if layer["kind"] == "convolution":
            written = len(parents)
            parents.append(written)
        elif layer["kind"] == "unpooling":
            for other in read:
                parents[root(other)] = root(read[0])
        for blob in layer["outputs"]:
            blobs[blob] = written
        maps.append((read[0], written))
    return [(root(read), root(written)) for read, written in maps]


def widths(description):
    """{convolution: (channels that it reads, channels that it writes)}"""
    counts = {description["input"]["name"]: len(description["input"]["channels"])}
    found = {}
    for layer in description["layers"]:
        channels = counts[layer["inputs"][0]]
        if layer["kind"] == "convolution":
            found[layer["name"]] = channels, layer["parameters"]["outputChannels"]
            channels = layer["parameters"]["outputChannels"]
        counts.update(dict.fromkeys(layer["outputs"], channels))
    return found


def pruned(wide, narrow, arrays):
    """A trained network's weights for a narrower one: convolutions, scales and shifts. Statistics of batch normalisation are left out: what
    it reads has changed.

    wide, narrow: descriptions with the same layers and classes; arrays: the wide network's, with statistics of batch normalisation.
    """
    groups = map_groups(wide)
    more, fewer = widths(wide), widths(narrow)
    importance = _Importance(wide, groups, arrays)
    kept = {groups[0][0]: np.arange(len(wide["input"]["channels"]))}
    for layer, (_, group) in zip(wide["layers"], groups):
        if layer["kind"] != "convolution" or group in kept:
            continue
        count, left = more[layer["name"]][1], fewer[layer["name"]][1]
        ranked = np.argsort(-importance.of(group, count), kind="stable")  # of equal ones the first
        kept[group] = np.arange(count) if count == left else np.sort(ranked[:left])
    result = {}
    for layer, (read, written) in zip(wide["layers"], groups):
        for role in ("weight", "bias", "scale", "shift"):
            name = f"{layer['name']}.{role}"
            if name in arrays:
                cut = arrays[name][kept[written]]
                result[name] = cut[:, kept[read]] if role == "weight" else cut
    return result


class _Importance:
    """How much the channels of each group of maps matter."""

    def __init__(self, description, groups, arrays):
        # What makes the maps of a group, and what reads them: for each layer, a number per channel.
        self.producers, self.readers = {}, {}
        following = {}  # the batch normalisation right behind a convolution
        for layer, after in zip(description["layers"], description["layers"][1:]):
            if layer["kind"] == "convolution" and after["kind"] == "batchNormalization":
                following[layer["name"]] = after
        for layer, (read, written) in zip(description["layers"], groups):
            name = layer["name"]
            if layer["kind"] == "convolution":
                weight = arrays[f"{name}.weight"]
                if name in following:  # what a reader's weights are worth depends on it
                    weight = weight * _factors(following[name], arrays)[:, None, None, None]
                squares = weight.astype(np.float64) ** 2
                self.readers.setdefault(read, []).append(squares.sum((0, 2, 3)))
                self.producers.setdefault(written, []).append(squares.sum((1, 2, 3)))
            elif layer["kind"] == "batchNormalization":
                # It decides the size of its map, whatever the filters before it.
                parts = self.producers.setdefault(written, [])
                parts[-1:] = [np.array([rectified_square(float(shift), abs(float(scale))) for scale, shift in zip(
                    arrays[f"{name}.scale"], arrays[f"{name}.shift"])])]

    def of(self, group, channels):
        """Relative to the group's mean, each."""
        def total(parts):
            if not parts:
                return np.ones(channels)
            return sum(part / max(part.sum(), np.finfo(np.float64).tiny) for part in parts if len(part) == channels)

        return total(self.producers.get(group)) * total(self.readers.get(group))


def _factors(layer, arrays):
    """What a batch normalisation multiplies by, in float32 as the package folds it."""
    scale = arrays[f"{layer['name']}.scale"]
    if layer["parameters"]["statistics"] == "folded":
        return scale
    variance = arrays[f"{layer['name']}.variance"].astype(np.float64)
    return (scale.astype(np.float64) / np.sqrt(variance + layer["parameters"]["epsilon"])).astype(np.float32)


def rectified_square(mean, deviation):
    """The mean of max(x, 0)² for a Gaussian x."""
    if not deviation > 0:
        return mean * mean if mean > 0 else 0.0
    z = mean / deviation
    below = 0.5 * math.erfc(-z / math.sqrt(2))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return max(0.0, (mean * mean + deviation * deviation) * below + mean * deviation * density)
