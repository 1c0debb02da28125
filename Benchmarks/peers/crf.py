"""The dense CRF compared with pydensecrf. `Benchmarks/peers/crf` calls it; `python crf.py SEGNET --help` shows the options.

Both refine the same probabilities (Models/street.jpg, 480x360; areas with noise) with the same parameters and pydensecrf's normalisation, and
every measurement is of a whole refinement: lattices, normalisation, all steps. Ours begins with probabilities, the peer with their negative
logarithms, which it is handed ready. A round runs ours in a process of its own (`segnet benchmark crf`, median of three) and then the peer
once, forwards and backwards in turns; the peer has one thread only. Peak memory is the process's, with the input and the result in it.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def probabilities(classes, height, width):
    """Areas of 20 x 20 pixels with scores of their own, and noise."""
    import numpy as np

    random = np.random.default_rng(classes)
    areas = random.normal(size=(classes, (height + 19) // 20, (width + 19) // 20))
    scores = 2 * np.kron(areas, np.ones((20, 20)))[:, :height, :width] + 0.3 * random.normal(size=(classes, height, width))
    exponentials = np.exp(scores - scores.max(0))
    return (exponentials / exponentials.sum(0)).astype(np.float32).transpose(1, 2, 0).copy()


def worker(folder, numbers):
    """Refines once for each line `run`; answers with a JSON object per line."""
    import numpy as np
    import pydensecrf.densecrf as dense
    from PIL import Image

    picture = np.ascontiguousarray(np.array(Image.open(os.path.join(folder, "picture.png"))))
    p = np.load(os.path.join(folder, "probabilities.npy"))
    height, width, classes = p.shape
    unary = np.ascontiguousarray(-np.log(p).transpose(2, 0, 1).reshape(classes, -1))
    del p
    w1, alpha, beta, w2, gamma, iterations = numbers

    def refine():
        crf = dense.DenseCRF2D(width, height, classes)
        crf.setUnaryEnergy(unary)
        crf.addPairwiseGaussian(sxy=gamma, compat=w2)
        crf.addPairwiseBilateral(sxy=alpha, srgb=beta, rgbim=picture, compat=w1)
        return np.array(crf.inference(int(iterations)))

    marginals = refine()
    np.save(os.path.join(folder, "peer.npy"), marginals.reshape(classes, height, width).transpose(1, 2, 0))
    del marginals
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        if line.strip() != "run":
            break
        start = time.perf_counter()
        refine()
        print(json.dumps({"milliseconds": 1e3 * (time.perf_counter() - start)}), flush=True)
    print(json.dumps({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


def ours(segnet, folder, threads, numbers, repetitions=3):
    output = subprocess.run(
        [segnet, "benchmark", "crf", "--picture", os.path.join(folder, "picture.png"),
         "--probabilities", os.path.join(folder, "probabilities.npy"), "--crf", ",".join(numbers) + ",symmetric",
         "--threads", str(threads), "--repeat", str(repetitions), "--output", os.path.join(folder, "ours.npy"), "--json"],
        check=True, capture_output=True, text=True,
    ).stdout
    return json.loads(output)


def sitting(segnet, classes, options):
    import numpy as np
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        picture = Image.open("Models/street.jpg").convert("RGB").resize((480, 360), Image.BILINEAR)
        picture.save(os.path.join(folder, "picture.png"))
        np.save(os.path.join(folder, "probabilities.npy"), probabilities(classes, 360, 480))
        numbers = options.crf.split(",")
        peer = subprocess.Popen(
            [sys.executable, __file__, "--worker", folder, *numbers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS="1"),
        )
        json.loads(peer.stdout.readline())

        def ask(command):
            peer.stdin.write(command + "\n")
            peer.stdin.flush()
            return json.loads(peer.stdout.readline())

        own, theirs, peaks = {threads: [] for threads in options.threads}, [], {}
        for number in range(options.rounds):
            print(f"{classes} classes: round {number + 1} of {options.rounds}", file=sys.stderr)
            turns = [*options.threads, None]
            for threads in turns if number % 2 == 0 else reversed(turns):
                if threads is None:
                    theirs.append(ask("run")["milliseconds"])
                else:
                    report = ours(segnet, folder, threads, numbers)
                    own[threads].append(report["milliseconds"]["median"])
                    peaks[threads] = max(peaks.get(threads, 0), report["peakMemoryBytes"])
        peak = ask("quit")["peakBytes"]
        peer.wait()
        a, b = np.load(os.path.join(folder, "ours.npy")), np.load(os.path.join(folder, "peer.npy"))
        equal = 100 * float((a.argmax(-1) == b.argmax(-1)).mean())

        def row(name, times, memory):
            median = statistics.median(times)
            return (
                f"| {name} | {median:.0f} ({min(times):.0f} to {max(times):.0f}) | {statistics.median(theirs) / median:.2f} | "
                f"{memory / 2**20:.0f} |"
            )

        return "\n".join([
            f"\n## {classes} classes, 480x360, crf:{options.crf},symmetric\n",
            f"Classes equal: {equal:.3f} %; marginals differ by {np.abs(a - b).mean():.1e} on average, {np.abs(a - b).max():.1e} at most. "
            f"{options.rounds} rounds.\n",
            "| program | ms, median (least to greatest) | as fast as pydensecrf times | peak MiB |",
            "| --- | --- | --- | --- |",
            *[row(f"**this package**, {t} {'thread' if t == 1 else 'threads'}", own[t], peaks[t]) for t in options.threads],
            row("pydensecrf (one thread)", theirs, peak),
        ])


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], [float(number) for number in sys.argv[3:]])

    def counts(text):
        return [int(word) for word in text.split(",")]

    parser = argparse.ArgumentParser(description="Times the dense CRF and pydensecrf.")
    parser.add_argument("segnet", help="the built command")
    parser.add_argument("--classes", type=counts, default=[11, 37])
    parser.add_argument("--threads", type=counts, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--crf", default="4,49,5,3,3,10", help="w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations")
    parser.add_argument("--output", help="a Markdown file; printed if not given")
    options = parser.parse_args()
    parts = [f"# The dense CRF compared with pydensecrf\n\n{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores"]
    parts += [sitting(options.segnet, classes, options) for classes in options.classes]
    text = "\n".join(parts) + "\n"
    if options.output:
        with open(options.output, "w") as file:
            file.write(text)
    print(text)


if __name__ == "__main__":
    main()
