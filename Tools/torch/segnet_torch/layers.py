"""Every kind of layer that the package's networks have (Sources/SegNetNetworks/Layers), as PyTorch modules.

A module is made from the parameters of the layer and the channels of its inputs, and knows the channels that it gives (`channels`). Maps
are [N, C, H, W]; pooling indices are a `Places`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from .errors import UserError


@dataclass
class Places:
    """Where each maximum of a 2x2 pooling stood: [N, C, h, w] bytes 2 * (row % 2) + column % 2, and the size (H, W) of the map."""

    numbers: torch.Tensor
    size: tuple


def _pair(window, name):
    return window[f"{name}Y"], window[f"{name}X"]


class Convolution(nn.Module):
    """weight [out, in / groups, kh, kw], bias [out]; zero padding."""

    # False in front of batch normalisation by the batch: the mean takes any bias away, and what is left as its gradient is rounding.
    trains_bias = True

    def __init__(self, parameters, channels):
        super().__init__()
        window = self.window = parameters["window"]
        self.channels, self.groups = parameters["outputChannels"], parameters["groups"]
        self.weight = nn.Parameter(torch.zeros(self.channels, channels[0] // self.groups, window["height"], window["width"]))
        self.bias = nn.Parameter(torch.zeros(self.channels)) if parameters["hasBias"] else None

    def forward(self, x):
        window = self.window
        bias = self.bias if self.trains_bias or self.bias is None else self.bias.detach()
        return F.conv2d(
            x, self.weight, bias, _pair(window, "stride"), _pair(window, "padding"), _pair(window, "dilation"), self.groups)


class TransposedConvolution(nn.Module):
    """weight [in, out / groups, kh, kw], bias [out]: each input pixel adds its value times the kernel to the output."""

    trains_bias = True  # as in Convolution

    def __init__(self, parameters, channels):
        super().__init__()
        window = self.window = parameters["window"]
        self.channels, self.groups = parameters["outputChannels"], parameters["groups"]
        self.weight = nn.Parameter(torch.zeros(channels[0], self.channels // self.groups, window["height"], window["width"]))
        self.bias = nn.Parameter(torch.zeros(self.channels)) if parameters["hasBias"] else None

    def forward(self, x):
        window = self.window
        bias = self.bias if self.trains_bias or self.bias is None else self.bias.detach()
        return F.conv_transpose2d(
            x, self.weight, bias, _pair(window, "stride"), _pair(window, "padding"), 0, self.groups, _pair(window, "dilation"))


class BatchNormalization(nn.Module):
    """y = scale (x - mean) / sqrt(variance + epsilon) + shift; the original's BN layer.

    While it `learns`, mean and variance are the batch's, left in `last` as (mean, biased variance); else the stored ones. A layer with
    folded statistics multiplies and adds only.
    """

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.epsilon = channels[0], parameters["epsilon"]
        self.is_folded = parameters["statistics"] == "folded"
        self.learns, self.last = False, None
        self.scale = nn.Parameter(torch.ones(self.channels))
        self.shift = nn.Parameter(torch.zeros(self.channels))
        if not self.is_folded:
            self.register_buffer("mean", torch.zeros(self.channels))
            self.register_buffer("variance", torch.ones(self.channels))

    def forward(self, x):
        if self.is_folded:
            return x * self.scale.view(1, -1, 1, 1) + self.shift.view(1, -1, 1, 1)
        if not self.learns:
            return F.batch_norm(x, self.mean, self.variance, self.scale, self.shift, False, 0.0, self.epsilon)
        mean, variance = torch.zeros_like(self.mean), torch.ones_like(self.variance)
        # A running average of momentum 1 is the batch itself. PyTorch takes the unbiased variance for it.
        y = F.batch_norm(x, mean, variance, self.scale, self.shift, True, 1.0, self.epsilon)
        count = x.numel() // x.shape[1]
        self.last = mean, variance * ((count - 1) / count)
        return y


class ReLU(nn.Module):
    """Where the description has it in place, it works in place."""

    def __init__(self, parameters, channels, is_in_place=False):
        super().__init__()
        self.channels, self.is_in_place = channels[0], is_in_place

    def forward(self, x):
        return F.relu(x, inplace=self.is_in_place)


class MaxPooling(nn.Module):
    """Sizes round up, windows are cut off at the border, the first of equal values wins."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.window, self.gives_indices = channels[0], parameters["window"], parameters["givesIndices"]

    def forward(self, x):
        if self.gives_indices:
            values, numbers = _PoolTwoByTwo.apply(x)
            return values, Places(numbers, tuple(x.shape[-2:]))
        window = self.window
        extent = (window["height"], window["width"])
        return F.max_pool2d(x, extent, _pair(window, "stride"), _pair(window, "padding"), _pair(window, "dilation"), ceil_mode=True)


class Unpooling(nn.Module):
    """Each value goes back to where its maximum stood, everything else is 0; the exact size of the map that was pooled."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels = channels[0]

    def forward(self, x, places):
        return _Unpool.apply(x, places.numbers, places.size)


# Pooling and unpooling by the four places of the 2x2 windows, with one byte per window: in any number type and memory format, where PyTorch's
# own pooling with indices takes eight bytes a window and leaves the fast formats.


class _PoolTwoByTwo(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        size = tuple(x.shape[-2:])
        if size[0] % 2 or size[1] % 2:
            x = F.pad(x, (0, size[1] % 2, 0, size[0] % 2), value=float("-inf"))
        best = x[..., 0::2, 0::2]
        places = torch.zeros_like(best, dtype=torch.uint8)
        for place in (1, 2, 3):
            other = x[..., place // 2 :: 2, place % 2 :: 2]
            is_greater = other > best
            places.masked_fill_(is_greater, place)
            best = torch.where(is_greater, other, best)
        ctx.save_for_backward(places)
        ctx.size = size
        ctx.mark_non_differentiable(places)
        return best, places

    @staticmethod
    def backward(ctx, gradient, _):
        (places,) = ctx.saved_tensors
        return _scattered(gradient, places, ctx.size)


class _Unpool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, places, size):
        ctx.save_for_backward(places)
        return _scattered(x, places, size)

    @staticmethod
    def backward(ctx, gradient):
        (places,) = ctx.saved_tensors
        height, width = gradient.shape[-2:]
        if height % 2 or width % 2:
            gradient = F.pad(gradient, (0, width % 2, 0, height % 2))
        result = torch.zeros_like(gradient[..., 0::2, 0::2])
        for place in range(4):
            result = torch.where(places == place, gradient[..., place // 2 :: 2, place % 2 :: 2], result)
        return result, None, None


def _scattered(x, places, size):
    """[N, C, h, w] to [N, C, *size]: each value to its place of the window, 0 elsewhere."""
    planar = x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last)
    layout = torch.contiguous_format if planar else torch.channels_last
    result = torch.empty((*x.shape[:2], *size), dtype=x.dtype, device=x.device, memory_format=layout)
    for place in range(4):
        target = result[..., place // 2 :: 2, place % 2 :: 2]
        height, width = target.shape[-2:]
        target.copy_(torch.where(places == place, x, 0)[..., :height, :width])
    return result


class LocalResponseNormalization(nn.Module):
    """y = x (k + alpha / size * sum of squares over `size` channels)^-beta, of the first `channels` of a picture only if they are given."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.parameters_ = channels[0], parameters

    def forward(self, x):
        p = self.parameters_
        some = p.get("channels") or x.shape[1]
        x, rest = x[:, :some], x[:, some:]
        y = F.local_response_norm(x, p["size"], p["alpha"], p["beta"], float(p["k"]))
        return torch.cat([y, rest], 1) if rest.shape[1] else y


class LocalContrastNormalization(nn.Module):
    """v = x - mean, s = sqrt(mean of v^2), y = v / max(s, mean of s over the picture); means over a Gaussian window, the part of it that lies
    inside the picture, and all channels. 0 where the whole picture is flat. In float64, as the package has it."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.size, self.sigma = channels[0], parameters["size"], parameters["sigma"]

    def forward(self, x):
        wide = x.double()
        taps = torch.arange(self.size, dtype=torch.float64, device=x.device) - self.size // 2
        taps = (-taps * taps / (2 * self.sigma**2)).exp()
        inside = self._window(torch.ones_like(wide[:, :1]), taps)
        v = wide - self._window(wide.mean(1, keepdim=True), taps) / inside
        deviation = (self._window((v * v).mean(1, keepdim=True), taps) / inside).sqrt()
        divisor = torch.maximum(deviation, deviation.mean((2, 3), keepdim=True))
        return torch.where(divisor > 0, v / divisor.clamp(min=1e-300), 0).to(x.dtype)

    def _window(self, x, taps):
        reach = self.size // 2
        return F.conv2d(F.conv2d(x, taps.view(1, 1, 1, -1), padding=(0, reach)), taps.view(1, 1, -1, 1), padding=(reach, 0))


class Dropout(nn.Module):
    """Inverted dropout, idle outside training."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.ratio = channels[0], parameters["ratio"]

    def forward(self, x):
        return F.dropout(x, self.ratio, self.training)


class Addition(nn.Module):
    def __init__(self, parameters, channels):
        super().__init__()
        self.channels = channels[0]

    def forward(self, first, *others):
        for other in others:
            first = first + other
        return first


class Concatenation(nn.Module):
    def __init__(self, parameters, channels):
        super().__init__()
        self.channels = sum(channels)

    def forward(self, *inputs):
        return torch.cat(inputs, 1)


class Crop(nn.Module):
    """Cuts the first input to the height and width of the second."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.top, self.left = channels[0], parameters["top"], parameters["left"]

    def forward(self, x, reference):
        height, width = reference.shape[-2:]
        return x[..., self.top : self.top + height, self.left : self.left + width]


class BilinearUpsampling(nn.Module):
    """Output pixel y reads the input at (y + 0.5) / factor - 0.5, clamped."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels, self.factor = channels[0], parameters["factor"]

    def forward(self, x):
        return F.interpolate(x, scale_factor=self.factor, mode="bilinear", align_corners=False)


class Softmax(nn.Module):
    def __init__(self, parameters, channels):
        super().__init__()
        self.channels = channels[0]

    def forward(self, x):
        return F.softmax(x.float(), 1)


class Argmax(nn.Module):
    """The highest class of equal scores, as the original has it."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.channels = 1

    def forward(self, x):
        return class_ids(x)[:, None]


def class_ids(scores):
    """[N, K, H, W] to [N, H, W]; the highest class of equal scores."""
    return scores.shape[1] - 1 - scores.flip(1).argmax(1)


_KINDS = {
    "convolution": Convolution,
    "transposedConvolution": TransposedConvolution,
    "batchNormalization": BatchNormalization,
    "relu": ReLU,
    "maxPooling": MaxPooling,
    "unpooling": Unpooling,
    "localResponseNormalization": LocalResponseNormalization,
    "localContrastNormalization": LocalContrastNormalization,
    "dropout": Dropout,
    "addition": Addition,
    "concatenation": Concatenation,
    "crop": Crop,
    "bilinearUpsampling": BilinearUpsampling,
    "softmax": Softmax,
    "argmax": Argmax,
}


def module(layer, channels):
    """The module of a layer of a network's description; channels: of each of its inputs."""
    kind = _KINDS.get(layer["kind"])
    if kind is None:
        raise UserError(f"layer '{layer['name']}': layers of the kind '{layer['kind']}' are not known here.")
    if kind is ReLU:
        return ReLU(layer["parameters"], channels, layer["inputs"] == layer["outputs"])
    return kind(layer["parameters"], channels)
