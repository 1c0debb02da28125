"""A network of the package, run by PyTorch: it interprets the description that model files hold."""

import math

import torch
from torch import nn

from . import layers
from .errors import UserError
from .random_numbers import RandomNumbers


class Network(nn.Module):
    """Reads pictures [N, C, H, W] of 0...255 in the order of the description's channels; gives scores [N, K, H, W].

    It ends with the class scores: softmax and argmax at the end of a description are left out.
    """

    def __init__(self, description):
        super().__init__()
        self.description = description
        data = description["input"]
        kept = list(description["layers"])
        while kept and kept[-1]["kind"] in ("softmax", "argmax"):
            kept.pop()
        if not kept:
            raise UserError(f"network '{description['name']}': has no layers.")
        channels = {data["name"]: len(data["channels"])}
        self.steps = []
        self.layers = nn.ModuleList()
        for layer in kept:
            for blob in layer["inputs"]:
                if blob not in channels:
                    raise UserError(f"layer '{layer['name']}': reads '{blob}', which no layer before it gives.")
            module = layers.module(layer, [channels[blob] for blob in layer["inputs"]])
            for blob in layer["outputs"]:
                channels[blob] = module.channels
            self.layers.append(module)
            self.steps.append((layer["name"], layer["inputs"], layer["outputs"]))
        self.class_count = channels[kept[-1]["outputs"][0]]
        # A blob is forgotten after the layer that reads it last.
        self.last_use = {blob: index for index, (_, inputs, outputs) in enumerate(self.steps) for blob in inputs + outputs}
        self.register_buffer("input_mean", torch.tensor(data["mean"], dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("input_scale", torch.tensor(data["scale"], dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self.names = [name for name, _, _ in self.steps]
        self._leave_out_biases()

    def _leave_out_biases(self):
        """Biases in front of batch normalisation, where nothing else reads the sum, are not trained."""
        for name, _ in self.read_by_normalization():
            self.layer(name).trains_bias = False

    def read_by_normalization(self):
        """(its name, the normalisation's) of each layer with a bias whose sum a batch normalisation with statistics reads, and nothing else."""
        for index, (module, (name, inputs, outputs)) in enumerate(zip(self.layers, self.steps)):
            is_normalization = isinstance(module, layers.BatchNormalization) and not module.is_folded
            if not is_normalization or index == 0 or self.steps[index - 1][2] != inputs:
                continue
            is_read_again = outputs != inputs and self.last_use[inputs[0]] > index
            if hasattr(self.layers[index - 1], "trains_bias") and not is_read_again:
                yield self.names[index - 1], name

    def forward(self, pictures, observe=None):
        """observe(layer's name, its inputs): told before each layer."""
        blobs = {self.description["input"]["name"]: (pictures - self.input_mean) * self.input_scale}
        value = None
        for index, ((name, inputs, outputs), module) in enumerate(zip(self.steps, self.layers)):
            values = [blobs[blob] for blob in inputs]
            if observe:
                observe(name, values)
            value = module(*values)
            blobs.update(zip(outputs, value if isinstance(value, tuple) else (value,)))
            value = blobs[outputs[0]]
            for blob in {*inputs, *outputs}:
                if self.last_use[blob] == index:
                    blobs.pop(blob, None)
        return value

    def layer(self, name):
        return self.layers[self.names.index(name)]

    @property
    def normalizations(self):
        """(name, module) of each batch normalisation with statistics."""
        pairs = zip(self.names, self.layers)
        return [(name, module) for name, module in pairs if isinstance(module, layers.BatchNormalization) and not module.is_folded]

    @property
    def convolutions(self):
        return [name for name, module in zip(self.names, self.layers) if isinstance(module, layers.Convolution)]

    def learn(self, learns=True):
        """Batch normalisation by the batch, dropout at work; or by stored statistics, dropout idle."""
        self.train(learns)
        for _, module in self.normalizations:
            module.learns = learns

    def parameters_by_name(self):
        """What is learnt, by the package's names: conv1_1.weight, conv1_1_bn.scale, ..."""
        return {f"{name}.{kind}": parameter for name, module in zip(self.names, self.layers)
                for kind, parameter in module.named_parameters(recurse=False)}

    def tensors(self):
        """Parameters and statistics by the package's names."""
        return {f"{name}.{kind}": tensor for name, module in zip(self.names, self.layers)
                for kind, tensor in module.state_dict(keep_vars=True).items()}

    @torch.no_grad()
    def load(self, tensors, where=lambda layer: True):
        """Copies the tensors that are there with the right shape; returns their names."""
        found = set()
        for name, target in self.tensors().items():
            source = tensors.get(name)
            if source is not None and tuple(source.shape) == tuple(target.shape) and where(name.rsplit(".", 1)[0]):
                target.copy_(torch.as_tensor(source))
                found.add(name)
        return found

    @torch.no_grad()
    def initialize(self, seed, is_uniform=False):
        """The package's initial weights of a seed: He's Gaussian with deviation sqrt(2 / fan-in), or Xavier's uniform in
        +- sqrt(3 / fan-in); biases 0, scales 1, shifts 0."""
        for stream, (name, tensor) in enumerate(self._in_package_order()):
            if not name.endswith(".weight"):
                tensor.fill_(1 if name.endswith((".scale", ".variance")) else 0)
                continue
            numbers = RandomNumbers(seed, stream)
            fan_in = max(1, tensor.numel() // tensor.shape[0])
            if is_uniform:
                values = math.sqrt(3 / fan_in) * (2 * numbers.uniforms(tensor.numel()) - 1)
            else:
                values = math.sqrt(2 / fan_in) * numbers.gaussians(tensor.numel())
            tensor.copy_(torch.from_numpy(values).view(tensor.shape))

    def _in_package_order(self):
        """The tensors whose places the package counts for its streams: what is learnt, layer by layer, without statistics."""
        return self.parameters_by_name().items()


def layer_patterns(patterns, names, setting):
    """The layers that each pattern means, where * stands for any letters; an error names the closest layer."""
    from fnmatch import fnmatchcase

    from .errors import hint

    result = {}
    for pattern in patterns:
        found = [name for name in names if fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))]
        if not found:
            raise UserError(f"{setting}: no layer is called '{pattern}'.{hint(pattern, names)} 'segnet info' lists the layers.")
        result[pattern] = found
    return result


def rates_by_layer(rates, names):
    """The factor of each layer's learning rate: that of the closest pattern, whatever the order in the recipe. The closest one has the most
    letters besides *, and of equal ones no *."""
    ordered = sorted(rates, key=lambda pattern: (len(pattern.replace("*", "")), "*" not in pattern, pattern))
    return {layer: rates[pattern] for pattern, layers in layer_patterns(ordered, names, "rates").items() for layer in layers}
