"""Inference compared with other engines. `Benchmarks/peers/inference` calls it; `python inference.py SEGNET --help` shows the options.

Every engine runs in a process of its own that loads the same weights, is warmed once and then waits. A round wakes one engine after the
other for one inference (forwards and backwards in turns), and measures ours as a share of the machine's peak with `segnet benchmark networks`. The time of
a peer includes handing over the picture and reading the scores in its Python interface. Answers are compared as classes of the same photo.

What is computed where an engine has no index unpooling: the ONNX file that `segnet convert --unpool standard` writes (exactly unpooling, by
widely supported operators), and for ncnn the arithmetic form of networks.py.
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
import time

ENGINES = {
    "pytorch": "PyTorch, contiguous, max_unpool2d",
    "pytorch-channels-last": "PyTorch, channels_last, max_unpool2d",
    "onnxruntime": "ONNX Runtime, standard operators",
    "onnxruntime-indices": "ONNX Runtime, MaxUnpool",
    "openvino": "OpenVINO in float32, standard operators",
    "openvino-default": "OpenVINO as installed (may run in bfloat16), standard operators",
    "mnn": "MNN, default Winograd, standard operators",
    "ncnn": "ncnn, arithmetic unpooling",
    "opencv": "OpenCV DNN, standard operators",
}


# MARK: One engine


def load(engine, folder, threads):
    """A function from a picture [1, 3, H, W] to scores [K, H, W], and what it says of itself."""
    import numpy as np

    onnx = os.path.join(folder, "standard.onnx")
    if engine.startswith("pytorch"):
        import torch

        sys.path.insert(0, os.path.dirname(__file__))
        from networks import Network

        torch.set_num_threads(threads)
        network = Network(os.path.join(folder, "model.safetensors")).eval()
        if engine.endswith("last"):
            network = network.to(memory_format=torch.channels_last)

        def run(picture):
            x = torch.from_numpy(picture)
            if engine.endswith("last"):
                x = x.contiguous(memory_format=torch.channels_last)
            with torch.inference_mode():
                return network(x)[0].numpy()

        return run, torch.__version__
    if engine.startswith("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        path = os.path.join(folder, "indices.onnx") if engine.endswith("indices") else onnx
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda picture: session.run(None, {name: picture})[0][0], onnxruntime.__version__
    if engine.startswith("openvino"):
        import openvino

        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if engine == "openvino":
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        compiled = core.compile_model(onnx, "CPU", settings)
        precision = compiled.get_property("INFERENCE_PRECISION_HINT")
        version = f"{openvino.__version__.split('-')[0]}, {str(precision).split(chr(39))[1]}"
        return lambda picture: compiled([picture])[0][0], version
    if engine == "opencv":
        import cv2

        cv2.setNumThreads(threads)
        network = cv2.dnn.readNetFromONNX(onnx)

        def run(picture):
            network.setInput(picture)
            return network.forward()[0]

        return run, cv2.__version__
    if engine == "mnn":
        import MNN

        runtime = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high", "numThread": threads},))
        with open(os.path.join(folder, "blobs.json")) as file:
            blobs = json.load(file)
        path = os.path.join(folder, "standard.mnn")
        module = MNN.nn.load_module_from_file(path, [blobs["input"]], [blobs["scores"]], runtime_manager=runtime)

        def run(picture):
            x = MNN.expr.placeholder(list(picture.shape), MNN.expr.NCHW)
            x.write(picture)
            y = MNN.expr.convert(module.onForward([x])[0], MNN.expr.NCHW)
            return np.array(y.read(), copy=True).reshape(-1, *picture.shape[2:])

        return run, MNN.version()
    if engine == "ncnn":
        import ncnn

        network = ncnn.Net()
        network.opt.num_threads = threads
        network.load_param(os.path.join(folder, "arithmetic.ncnn.param"))
        network.load_model(os.path.join(folder, "arithmetic.ncnn.bin"))

        def run(picture):
            # The binding does not copy what it is handed: the array must outlive the call.
            planes = np.ascontiguousarray(picture[0])
            extractor = network.create_extractor()
            extractor.input("in0", ncnn.Mat(planes))
            return np.array(extractor.extract("out0")[1])

        return run, ncnn.__version__
    raise ValueError(engine)


def worker(engine, folder, threads):
    """Reads commands from standard input, answers with a JSON object per line."""
    import numpy as np

    def answer(**values):
        print(json.dumps(values), flush=True)

    picture = np.load(os.path.join(folder, "picture.npy"))
    start = time.perf_counter()
    try:
        run, version = load(engine, folder, threads)
        loaded = time.perf_counter()
        scores = run(picture)
    except Exception as error:  # whatever an engine throws ends up in the table
        answer(error=f"{type(error).__name__}: {error}".splitlines()[0][:200])
        return
    # As the original: the highest class among exactly equal scores.
    classes = len(scores) - 1 - np.argmax(scores[::-1], 0)
    np.save(os.path.join(folder, f"{engine}.npy"), classes.astype(np.uint8))
    answer(version=version, loadMilliseconds=1e3 * (loaded - start), firstMilliseconds=1e3 * (time.perf_counter() - loaded))
    for line in sys.stdin:
        if line.strip() != "run":
            break
        start = time.perf_counter()
        run(picture)
        answer(milliseconds=1e3 * (time.perf_counter() - start))
    answer(peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


class Peer:
    def __init__(self, engine, folder, threads):
        self.engine, self.milliseconds, self.log = engine, [], os.path.join(folder, f"{engine}.log")
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false")
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", engine, folder, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True, env=environment,
        )
        self.facts = self.answer()

    def answer(self):
        """The next line that is an object; engines print notes of their own."""
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        return {"error": f"ended with {self.process.wait()}, see {self.log}"}

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()


# MARK: Files


def mean(model):
    """What the network subtracts from its channels, [1, C, 1, 1]."""
    import numpy as np
    from networks import read

    return np.array(read(model)[0]["input"].get("mean", [0, 0, 0]), np.float32).reshape(1, -1, 1, 1)


def prepare(segnet, network, root, threads):
    """The same weights in every form that an engine reads."""
    folder = os.path.join(root, network)
    os.makedirs(folder, exist_ok=True)
    model = os.path.join(folder, "model.safetensors")

    def call(*arguments):
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    if not os.path.exists(model):
        if network == "segnet-basic":
            call(segnet, "convert", "Models/segnet-basic-camvid.safetensors", model)
        else:
            call(segnet, "benchmark", "networks", network, "--repeat", "1", "--no-memory", "--output", folder)
            os.replace(os.path.join(folder, f"{network}.safetensors"), model)
    import cv2
    import numpy as np

    picture = os.path.join(folder, "picture.png")
    if not os.path.exists(picture):
        pixels = cv2.resize(cv2.imread("Models/street.jpg"), (480, 360), interpolation=cv2.INTER_AREA)
        cv2.imwrite(picture, pixels)
        # OpenCV reads blue, green, red, which is the order of these networks' inputs; some have a mean.
        planes = pixels.transpose(2, 0, 1)[None].astype(np.float32) - mean(model)
        np.save(os.path.join(folder, "picture.npy"), np.ascontiguousarray(planes))
    for form in ("standard", "indices"):
        target = os.path.join(folder, f"{form}.onnx")
        if not os.path.exists(target):
            call(segnet, "convert", model, target, "--unpool", form, "--size", "480x360")
    return folder


def convert(engine, folder):
    """What some engines need beyond ONNX."""
    if engine == "mnn":
        import onnx

        graph = onnx.load(os.path.join(folder, "standard.onnx"), load_external_data=False).graph
        with open(os.path.join(folder, "blobs.json"), "w") as file:
            json.dump({"input": graph.input[0].name, "scores": graph.output[0].name}, file)
    if engine == "mnn" and not os.path.exists(os.path.join(folder, "standard.mnn")):
        # The converter of the Python package installs a client for its makers' log service with pip, whose older protobuf breaks `onnx`.
        offline = dict(os.environ, PIP_NO_INDEX="1", PIP_FIND_LINKS=os.path.join(folder, "nothing"))
        subprocess.run(
            ["mnnconvert", "-f", "ONNX", "--modelFile", os.path.join(folder, "standard.onnx"), "--MNNModel",
             os.path.join(folder, "standard.mnn"), "--bizCode", "peers"],
            check=True, capture_output=True, text=True, timeout=600, env=offline,
        )
    if engine == "ncnn" and not os.path.exists(os.path.join(folder, "arithmetic.ncnn.param")):
        script = (
            "import sys, torch; sys.path.insert(0, 'Benchmarks/peers'); from networks import Network; import pnnx, os\n"
            f"net = Network('{folder}/model.safetensors', 'arithmetic').eval()\n"
            f"x = torch.rand(1, 3, 360, 480) * 255\n"
            f"os.chdir('{folder}')\n"
            "pnnx.export(net, 'arithmetic.pt', (x,), fp16=False)\n"
        )
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=900)


# MARK: The sitting


def ours(segnet, network, threads, repetitions=3):
    output = subprocess.run(
        [segnet, "benchmark", "networks", "--no-memory", "--repeat", str(repetitions), "--threads", str(threads), "--json", network],
        check=True, capture_output=True, text=True,
    ).stdout
    report = json.loads(output)
    times = report["networks"][0]["milliseconds"]
    return times["median"], report["peakGigaflops"], report["networks"][0]["multiplyAccumulates"], report["instructionSet"]


def predicted(segnet, folder, threads):
    """Classes of our `predict`, and its peak memory."""
    import cv2

    output = os.path.join(folder, "ours")
    report = subprocess.run(
        [segnet, "predict", os.path.join(folder, "picture.png"), "--model", os.path.join(folder, "model.safetensors"), "--output", output,
         "--threads", str(threads), "--json"],
        check=True, capture_output=True, text=True,
    ).stdout
    return cv2.imread(os.path.join(output, "picture.mask.png"), cv2.IMREAD_UNCHANGED), json.loads(report)["peakMemoryBytes"]


def sitting(segnet, network, engines, options):
    import numpy as np

    folder = prepare(segnet, network, options.folder, options.threads)
    peers, failed = [], []
    for engine in engines:
        try:
            convert(engine, folder)
        except subprocess.SubprocessError as error:
            lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            failed.append((engine, f"conversion failed: {lines[-1][:160] if lines else error}"))
            continue
        peer = Peer(engine, folder, options.threads)
        if "error" in peer.facts:
            failed.append((engine, peer.facts["error"]))
        else:
            peers.append(peer)
            print(f"{network}: {engine} {peer.facts['version']} is ready", file=sys.stderr)
    own, peaks = [], []
    for number in range(options.rounds):
        print(f"{network}: round {number + 1} of {options.rounds}", file=sys.stderr)
        median, peak, macs, instruction_set = ours(segnet, network, options.threads)
        own.append(median)
        peaks.append(peak)
        for peer in peers if number % 2 == 0 else reversed(peers):
            peer.milliseconds.append(peer.ask("run")["milliseconds"])
    mask, bytes_ = predicted(segnet, folder, options.threads)
    roof = 2e-6 * macs / statistics.median(peaks)
    reference = os.path.join(folder, "pytorch.npy")
    truth = np.load(reference) if os.path.exists(reference) else mask

    def row(name, times, peak, classes, note=""):
        median = statistics.median(times)
        return (
            f"| {name} | {median:.0f} ({min(times):.0f} to {max(times):.0f}) | {median / roof:.2f} | {median / statistics.median(own):.2f} | "
            f"{peak / 2**20:.0f} | {100 * float((classes == truth).mean()):.2f} % | {note} |"
        )

    lines = [
        f"\n## {network}, 480x360, {options.threads} threads, {instruction_set}\n",
        f"Peak of fused multiply-adds in the same rounds: {statistics.median(peaks):.0f} GFLOP/s ({min(peaks):.0f} to {max(peaks):.0f}); "
        f"direct convolution at that peak would take {roof:.0f} ms. {options.rounds} rounds.\n",
        "| engine | ms, median (least to greatest) | of that time | slower than ours by | peak MiB | classes as PyTorch's | load / first run, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        row("**this package**", own, bytes_, mask),
    ]
    for peer in sorted(peers, key=lambda peer: statistics.median(peer.milliseconds)):
        peak = peer.ask("quit")["peakBytes"]
        classes = np.load(os.path.join(folder, f"{peer.engine}.npy"))
        facts = peer.facts
        lines.append(
            row(f"{ENGINES[peer.engine]} ({facts['version']})", peer.milliseconds, peak, classes,
                f"{facts['loadMilliseconds']:.0f} / {facts['firstMilliseconds']:.0f}")
        )
        peer.process.wait()
    lines += [f"| {ENGINES[engine]} | {reason} | | | | | |" for engine, reason in failed]
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description="Times this package and other engines.")
    parser.add_argument("segnet", help="the built command")
    parser.add_argument("--networks", default="segnet,segnet-basic")
    parser.add_argument("--engines", default=",".join(ENGINES), help=", ".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", default=".build/peers-models", help="where converted models lie")
    parser.add_argument("--output", help="a Markdown file for the tables; standard output otherwise")
    options = parser.parse_args()
    engines = options.engines.split(",")
    unknown = [engine for engine in engines if engine not in ENGINES]
    if unknown:
        parser.error(f"no engine '{unknown[0]}'; there are {', '.join(ENGINES)}")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    text = [
        f"# Inference compared with other engines, {datetime.date.today()}\n",
        f"`Benchmarks/peers/inference {' '.join(sys.argv[2:])}` on {model}, {os.cpu_count()} cores; load of the machine before: "
        f"{os.getloadavg()[0]:.1f}.",
    ]
    text += [sitting(options.segnet, network, engines, options) for network in options.networks.split(",")]
    document = "\n".join(text) + "\n"
    if options.output:
        with open(options.output, "w") as file:
            file.write(document)
    print(document)


if __name__ == "__main__":
    main()
