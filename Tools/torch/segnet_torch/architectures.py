"""SegNet and SegNet-Basic as the package describes them (Sources/SegNetNetworks/Architectures): the JSON that its model files hold.

A network is a dictionary: name, input (blob name, channels, size, mean, scale) and layers in the order in which they run, each with kind,
name, inputs, outputs and parameters. A test compares these with what the Swift command writes.
"""

import math

EPSILON = 1e-9  # of batch normalisation, as the original has it


def network(architecture, classes, *, width=1.0, size=(480, 360), mean=(0, 0, 0), scale=(1, 1, 1)):
    """The network of an architecture; size: (width, height); mean and scale: blue, green, red."""
    make = _segnet_basic if architecture.endswith("basic") else _segnet
    layers = make(classes, width, architecture.startswith("bayesian"))
    channels = ["blue", "green", "red"]
    data = {"channels": channels, "height": size[1], "mean": list(mean), "name": "data", "scale": list(scale), "width": size[0]}
    return {"input": data, "layers": layers, "name": architecture.removeprefix("bayesian-")}


def _segnet(classes, width, has_dropout):
    """The thirteen convolutions of VGG16 down, thirteen up, joined by pooling indices alone."""
    make = _Factory(kernel=3)
    w64, w128, w256, w512 = (_channels(published, width) for published in (64, 128, 256, 512))
    encoder = [[w64] * 2, [w128] * 2, [w256] * 3, [w512] * 3, [w512] * 3]
    decoder = {5: [w512] * 3, 4: [w512, w512, w256], 3: [w256, w256, w128], 2: [w128, w64], 1: [w64]}
    for stage, widths in enumerate(encoder, 1):
        for number, channels in enumerate(widths, 1):
            make.convolution(f"conv{stage}_{number}", channels, has_relu=True)
        make.pool(f"pool{stage}")
        if has_dropout and stage >= 3:
            make.dropout(f"encdrop{stage}")
    for stage in (5, 4, 3, 2, 1):
        make.unpool(f"upsample{stage}", f"pool{stage}", f"pool{stage}_D")
        for place, channels in enumerate(decoder[stage]):
            make.convolution(f"conv{stage}_{len(encoder[stage - 1]) - place}_D", channels, has_relu=True)
        if has_dropout and stage >= 3:
            make.dropout(f"decdrop{stage}")
    make.convolution("conv1_1_D", classes, is_normalized=False)
    return make.layers


def _segnet_basic(classes, width, has_dropout):
    """Four 7x7 convolutions down, four up without ReLU, and a 1x1 classifier."""
    make = _Factory(kernel=7)
    channels = _channels(64, width)
    make.add("localResponseNormalization", "norm", {"alpha": 1e-4, "beta": 0.75, "k": 1, "size": 5})
    for stage in (1, 2, 3, 4):
        make.convolution(f"conv{stage}", channels, has_relu=True)
        make.pool(f"pool{stage}")
        if has_dropout and stage >= 3:
            make.dropout(f"encdrop{stage}")
    for stage in (4, 3, 2, 1):
        make.unpool(f"upsample{stage}", f"pool{stage}", f"upsample{stage}")
        make.convolution(f"conv_decode{stage}", channels)
        if has_dropout and stage >= 3:
            make.dropout(f"decdrop{stage}")
    make.convolution("conv_classifier", classes, kernel=1, is_normalized=False)
    return make.layers


def _channels(published, width):
    """A published width under the multiplier: rounded up to a multiple of 16."""
    return max(16, 16 * math.ceil(published * width / 16))


class _Factory:
    """Collects layers in reading order; each reads what the one before gave."""

    def __init__(self, kernel):
        self.kernel, self.layers, self.blob = kernel, [], "data"

    def add(self, kind, name, parameters, inputs=None, outputs=None):
        outputs = outputs or [name]
        self.layers.append(
            {"inputs": inputs or [self.blob], "kind": kind, "name": name, "outputs": outputs, "parameters": parameters})
        self.blob = outputs[0]

    def in_place(self, kind, name, parameters):
        self.add(kind, name, parameters, outputs=[self.blob])

    def convolution(self, name, channels, kernel=None, is_normalized=True, has_relu=False):
        extent = kernel or self.kernel
        window = _window(extent, padding=(extent - 1) // 2)
        self.add("convolution", name, {"groups": 1, "hasBias": True, "outputChannels": channels, "window": window})
        if is_normalized:
            self.in_place("batchNormalization", f"{name}_bn", {"epsilon": EPSILON, "statistics": "kept"})
        if has_relu:
            self.in_place("relu", f"relu{name.removeprefix('conv')}", {})

    def pool(self, name):
        self.add("maxPooling", name, {"givesIndices": True, "window": _window(2, stride=2)}, outputs=[name, f"{name}_mask"])

    def unpool(self, name, pool, output):
        self.add("unpooling", name, {}, inputs=[self.blob, f"{pool}_mask"], outputs=[output])

    def dropout(self, name):
        self.in_place("dropout", name, {"ratio": 0.5, "samplesAtTest": True})


def _window(extent, stride=1, padding=0):
    return {"dilationX": 1, "dilationY": 1, "height": extent, "paddingX": padding, "paddingY": padding, "strideX": stride,
            "strideY": stride, "width": extent}
