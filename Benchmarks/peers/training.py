"""One measurement of training steps with PyTorch: prints a JSON object. `Benchmarks/peers/training` calls it."""

import argparse
import json
import resource
import time

import torch
from networks import Network
from torch import nn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", help="the network as `segnet benchmark networks --output` writes it")
    parser.add_argument("--network", required=True, help="its name in the report")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--format", choices=["contiguous", "channels_last"], default="channels_last")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    classes = 11
    batch, height, width = arguments.batch, arguments.height, arguments.width
    net = Network(arguments.model, learns=True)
    x = torch.rand(batch, 3, height, width) * 255
    y = torch.randint(0, classes, (batch, height, width))
    if arguments.format == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9, weight_decay=0.0005)
    loss = nn.CrossEntropyLoss(weight=torch.ones(classes), ignore_index=255)
    seconds = []
    for step in range(arguments.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss(net(x), y).backward()
        optimizer.step()
        # The first step touches memory for the first time.
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
