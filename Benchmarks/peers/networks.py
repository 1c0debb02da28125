"""A model of this package in PyTorch: read from its safetensors file, layer by layer, with batch normalisation folded in,
or as layers that learn.

Unpooling has two forms. `real` is `max_unpool2d`. `arithmetic` says the same with sums, products and maxima only, for engines that have
neither indices nor comparisons: which of the four values of a window is its first maximum is 1 - min((maximum - value) * 1e38, 1), and
ties are broken by a second maximum over 4, 3, 2, 1.
"""

import collections
import json
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def read(path):
    """The network's description and its tensors as float32 arrays."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    network = json.loads(header.pop("__metadata__")["network"])
    types = {"F32": np.float32, "F16": np.float16}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = array.astype(np.float32)
    return network, tensors


def folded(network, tensors):
    """Layers (kind, name, inputs, outputs, parameters) without batch normalisation, and the convolutions' weights and biases."""
    layers, weights = [], {}
    for layer in network["layers"]:
        name, parameters = layer["name"], layer["parameters"]
        if layer["kind"] == "convolution":
            weight = tensors[name + ".weight"]
            bias = tensors.get(name + ".bias", np.zeros(len(weight), np.float32))
            weights[name] = (weight.astype(np.float64), bias.astype(np.float64))
        elif layer["kind"] == "transposedConvolution":
            weight = tensors[name + ".weight"]
            bias = tensors.get(name + ".bias", np.zeros(parameters["outputChannels"], np.float32))
            weights[name] = (weight.astype(np.float64), bias.astype(np.float64))
        elif layer["kind"] == "batchNormalization":
            target = layers[-1]
            scale, shift = tensors[name + ".scale"].astype(np.float64), tensors[name + ".shift"].astype(np.float64)
            if parameters["statistics"] == "kept":
                scale = scale / np.sqrt(tensors[name + ".variance"].astype(np.float64) + parameters["epsilon"])
                shift = shift - scale * tensors[name + ".mean"]
            weight, bias = weights[target["name"]]
            outputs = (None, slice(None)) if target["kind"] == "transposedConvolution" else (slice(None), None)
            weights[target["name"]] = (weight * scale[(*outputs, None, None)], bias * scale + shift)
            continue
        elif layer["kind"] in ("dropout", "softmax", "argmax"):
            continue
        layers.append(layer)
    return layers, weights


def unfolded(network, tensors):
    """Layers for training, batch normalisation and dropout among them, and the convolutions' weights and biases."""
    layers = [layer for layer in network["layers"] if layer["kind"] not in ("softmax", "argmax")]
    weights = {}
    for layer in layers:
        name, parameters = layer["name"], layer["parameters"]
        if layer["kind"] in ("convolution", "transposedConvolution"):
            bias = np.zeros(parameters["outputChannels"], np.float32)
            weights[name] = (tensors[name + ".weight"], tensors.get(name + ".bias", bias))
    return layers, weights


class Network(nn.Module):
    """Scores [N, K, H, W] from pictures [N, 3, H, W] in the network's channel order, 0...255."""

    def __init__(self, path, unpooling="real", dtype=torch.float32, learns=False):
        super().__init__()
        network, tensors = read(path)
        self.layers, weights = (unfolded if learns else folded)(network, tensors)
        self.input = network["input"]["name"]
        self.readers = collections.Counter(name for layer in self.layers for name in set(layer["inputs"]))
        self.unpooling = unpooling
        self.convolutions = nn.ModuleDict()
        for layer in self.layers:
            if layer["name"] not in weights:
                continue
            weight, bias = weights[layer["name"]]
            parameters = layer["parameters"]
            window, groups = parameters["window"], parameters["groups"]
            axes = {key: (window[name + "Y"], window[name + "X"]) for key, name in
                    (("stride", "stride"), ("padding", "padding"), ("dilation", "dilation"))}
            if layer["kind"] == "convolution":
                convolution = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], weight.shape[2:], groups=groups, **axes)
            else:
                convolution = nn.ConvTranspose2d(weight.shape[0], weight.shape[1] * groups, weight.shape[2:], groups=groups, **axes)
            convolution.weight.data = torch.tensor(weight, dtype=dtype)
            convolution.bias.data = torch.tensor(bias, dtype=dtype)
            # Names of modules have no dots; those of layers may.
            self.convolutions[layer["name"].replace(".", "_")] = convolution
        self.normalizations = nn.ModuleDict({
            layer["name"].replace(".", "_"): nn.BatchNorm2d(len(tensors[layer["name"] + ".scale"]), layer["parameters"]["epsilon"])
            for layer in self.layers if layer["kind"] == "batchNormalization"
        })
        self.slices = nn.ModuleDict()
        if unpooling == "arithmetic":
            for channels in {convolution.out_channels for convolution in self.convolutions.values()}:
                for place in range(4):
                    convolution = nn.Conv2d(channels, channels, 2, stride=2, groups=channels, bias=False)
                    convolution.weight.data.zero_()
                    convolution.weight.data[:, 0, place // 2, place % 2] = 1
                    self.slices[f"of_{channels}_{place}"] = convolution

    def forward(self, picture):
        blobs = {self.input: picture}
        for layer in self.layers:
            kind, x = layer["kind"], blobs[layer["inputs"][0]]
            parameters = layer["parameters"]
            if kind in ("convolution", "transposedConvolution"):
                y = self.convolutions[layer["name"].replace(".", "_")](x)
            elif kind == "batchNormalization":
                y = self.normalizations[layer["name"].replace(".", "_")](x)
            elif kind == "dropout":
                y = F.dropout(x, parameters["ratio"], self.training)
            elif kind == "relu":
                y = F.relu(x, inplace=self.readers[layer["inputs"][0]] == 1)
            elif kind == "localResponseNormalization":
                # All channels of a picture lie in one window.
                squares = (x * x).sum(1, keepdim=True)
                y = x * torch.pow(parameters["k"] + parameters["alpha"] / parameters["size"] * squares, -parameters["beta"])
            elif kind == "maxPooling" and len(layer["outputs"]) == 1:
                y = F.max_pool2d(x, **self.window(parameters), ceil_mode=True)
            elif kind == "averagePooling" and parameters.get("window"):
                y = F.avg_pool2d(x, **self.window(parameters), ceil_mode=True)
            elif kind == "addition" and not parameters.get("coefficients"):
                y = sum(blobs[name] for name in layer["inputs"])
            elif kind == "crop":
                height, width = blobs[layer["inputs"][1]].shape[2:]
                top, left = parameters["top"], parameters["left"]
                y = x[:, :, top:top + height, left:left + width]
            elif kind == "padding":
                # To the next size that is 1 more than a multiple.
                down, right = (-(size - 1) % parameters["multiple"] for size in x.shape[2:])
                y = F.pad(x, (0, right, 0, down))
            elif kind == "resize" and "factor" in parameters["target"]:
                factor = parameters["target"]["factor"]["_0"]
                size = [(size - 1) * factor + 1 for size in x.shape[2:]]
                y = F.interpolate(x, size, mode="bilinear", align_corners=True)
            elif kind == "maxPooling":
                y, blobs[layer["outputs"][1]] = self.pool(x)
            elif kind == "unpooling":
                y = self.unpool(x, blobs[layer["inputs"][1]])
            else:
                raise ValueError(f"layer '{layer['name']}': no form for {kind}")
            blobs[layer["outputs"][0]] = y
        return y

    @staticmethod
    def window(parameters):
        window = parameters["window"]
        return {"kernel_size": (window["height"], window["width"]), "stride": (window["strideY"], window["strideX"]),
                "padding": (window["paddingY"], window["paddingX"])}

    def pool(self, x):
        if self.unpooling == "real":
            y, indices = F.max_pool2d(x, 2, 2, ceil_mode=True, return_indices=True)
            return y, (indices, x.shape[2], x.shape[3])
        height, width = x.shape[2], x.shape[3]
        even = F.pad(x, (0, width % 2, 0, height % 2), value=-1e30)
        y = F.max_pool2d(even, 2, 2)
        # A strided slice as a convolution that multiplies one value by 1: converters know convolutions.
        parts = [self.slices[f"of_{x.shape[1]}_{place}"](even) for place in range(4)]
        ranks = [(1 - torch.clamp((y - part) * 1e38, max=1.0)) * (4 - place) for place, part in enumerate(parts)]
        best = torch.maximum(torch.maximum(ranks[0], ranks[1]), torch.maximum(ranks[2], ranks[3]))
        masks = [1 - torch.clamp((best - rank) * 1e38, max=1.0) for rank in ranks]
        return y, (masks, height, width)

    def unpool(self, x, pooled):
        if self.unpooling == "real":
            indices, height, width = pooled
            return F.max_unpool2d(x, indices, 2, 2, output_size=(height, width))
        masks, height, width = pooled
        parts = torch.stack([x * mask for mask in masks], 2)
        channels = x.shape[1]
        y = F.pixel_shuffle(parts.reshape(1, 4 * channels, x.shape[2], x.shape[3]), 2)
        return y[:, :, :height, :width]
