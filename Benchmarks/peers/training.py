"""One measurement of training steps with PyTorch: prints a JSON object. `Benchmarks/peers/training` calls it."""

import argparse
import json
import resource
import time

import torch
from torch import nn


class Basic(nn.Module):
    """SegNet-Basic (arXiv 1511.00561, section 3.1) as its prototxt has it."""

    def __init__(self, classes):
        super().__init__()
        self.norm = nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)
        self.encoder = nn.ModuleList(self.block(3 if i == 0 else 64) for i in range(4))
        self.decoder = nn.ModuleList(self.block(64) for _ in range(4))
        self.pool = nn.MaxPool2d(2, 2, return_indices=True, ceil_mode=True)
        self.unpool = nn.MaxUnpool2d(2, 2)
        self.classifier = nn.Conv2d(64, classes, 1)

    @staticmethod
    def block(inputs):
        return nn.Sequential(nn.Conv2d(inputs, 64, 7, padding=3), nn.BatchNorm2d(64))

    def forward(self, x):
        x = self.norm(x)
        kept = []
        for block in self.encoder:
            x = torch.relu_(block(x))
            size = x.shape
            x, indices = self.pool(x)
            kept.append((indices, size))
        for block in self.decoder:
            indices, size = kept.pop()
            x = block(self.unpool(x, indices, output_size=size))
        return self.classifier(x)


class Full(nn.Module):
    """SegNet: VGG16's convolutions down and up."""

    widths = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]

    def __init__(self, classes):
        super().__init__()
        inputs, down, up = 3, [], []
        for stage in self.widths:
            layers = []
            for width in stage:
                layers += self.block(inputs, width)
                inputs = width
            down.append(nn.Sequential(*layers))
        for number in reversed(range(5)):
            stage = self.widths[number]
            out = self.widths[number - 1][-1] if number else 64
            layers = []
            for index in range(len(stage)):
                last = index == len(stage) - 1
                if last and number == 0:
                    layers.append(nn.Conv2d(64, classes, 3, padding=1))
                else:
                    layers += self.block(stage[0], out if last else stage[0])
            up.append(nn.Sequential(*layers))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.pool = nn.MaxPool2d(2, 2, return_indices=True, ceil_mode=True)
        self.unpool = nn.MaxUnpool2d(2, 2)

    @staticmethod
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    def forward(self, x):
        kept = []
        for stage in self.down:
            x = stage(x)
            size = x.shape
            x, indices = self.pool(x)
            kept.append((indices, size))
        for stage in self.up:
            indices, size = kept.pop()
            x = stage(self.unpool(x, indices, output_size=size))
        return x


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=["segnet-basic", "segnet"])
    parser.add_argument("--format", choices=["contiguous", "channels_last"], default="channels_last")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    classes = 11
    batch, height, width = (4, 176, 240) if arguments.network == "segnet-basic" else (2, 352, 480)
    net = Basic(classes) if arguments.network == "segnet-basic" else Full(classes)
    x = torch.rand(batch, 3, height, width) * 255
    y = torch.randint(0, classes, (batch, height, width))
    if arguments.format == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9, weight_decay=0.0005)
    loss = nn.CrossEntropyLoss(weight=torch.ones(classes), ignore_index=255)
    seconds = []
    for step in range(arguments.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss(net(x), y).backward()
        optimizer.step()
        if step:
            seconds.append(time.perf_counter() - start)
    median = sorted(seconds)[len(seconds) // 2]
    print(json.dumps({
        "engine": f"pytorch {torch.__version__}", "format": arguments.format, "network": arguments.network, "batch": batch,
        "width": width, "height": height, "threads": arguments.threads, "secondsPerStep": seconds,
        "picturesPerSecond": batch / median, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))


if __name__ == "__main__":
    main()
