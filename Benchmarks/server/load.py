#!/usr/bin/env python3
"""Many clients at once, good and hostile ones, against segnet-server on this machine.

    Benchmarks/server/load.py [--server PROGRAM] [--segnet PROGRAM] [--clients 64] [--greedy 32] [--seconds 60] [--json FILE]

Starts a server on a loopback port, lets the clients loose for the given time, and says: whether it lived, which answers were wrong,
which accepted requests were lost, its memory over time, and what its Server-Timing says compared with `segnet predict` on the same
picture while the same clients keep the machine busy. With `--greedy`, that many of the clients try to tie the service up
(greedy.py). Only the standard library is needed.
"""

import argparse
import asyncio
import base64
import collections
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import greedy
import pictures
from client import Closed, Server, read_answer, request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "correct-horse-battery"
RECEIVE_TIMEOUT = 3


def built(package, name):
    for configuration in ("release", "debug"):
        path = ROOT / package / ".build" / configuration / name
        if path.exists():
            return str(path)
    return shutil.which(name)


class Load:
    def __init__(self, port, seconds, seed):
        self.port = port
        self.end = time.monotonic() + seconds
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.wrong = []
        self.lost = []
        self.times = []
        self.latencies = []
        self.good = []
        self.expected = {}
        self.authorised = {"Authorization": f"Bearer {TOKEN}"}

    async def prepare(self):
        """Pictures of several sizes, and the answer to each while nobody else is there."""
        street = (ROOT / "Models" / "street.jpg").read_bytes()
        files = {"street": street}
        for index, (width, height) in enumerate([(480, 360), (320, 240), (961, 721), (1920, 1080), (37, 61)]):
            files[f"{width}x{height}"] = pictures.png(width, height, index)
        for name, body in files.items():
            for query in ("output=mask", "output=overlay", "output=color", "output=confidence"):
                path = f"/v1/segment?{query}"
                answer = await self.exchange(request(path, body, self.authorised))
                if answer.status != 200:
                    raise SystemExit(f"{name} {query}: {answer.status} {answer.body[:200]}")
                self.good.append((name, path, body))
                self.expected[(name, path)] = answer.body
        self.street = street

    async def exchange(self, data):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            return await asyncio.wait_for(read_answer(reader), 120)
        finally:
            writer.close()

    def judge(self, scenario, answer, allowed):
        self.counts[(scenario, answer.status)] += 1
        if answer.status not in allowed:
            self.wrong.append(f"{scenario}: {answer.status} {answer.body[:200]!r}")
        elif answer.status >= 400 and answer.headers.get("content-type") != "application/problem+json":
            self.wrong.append(f"{scenario}: {answer.status} is not a problem document")
        elif answer.status == 503 and "retry-after" not in answer.headers:
            self.wrong.append(f"{scenario}: 503 without Retry-After")
        if "x-request-id" not in answer.headers:
            self.wrong.append(f"{scenario}: {answer.status} without X-Request-ID")

    async def valid(self, stream):
        """A good picture on a connection that is kept."""
        if stream[1] is None:
            stream[0], stream[1] = await asyncio.open_connection("127.0.0.1", self.port)
        name, path, body = self.random.choice(self.good)
        begin = time.monotonic()
        stream[1].write(request(path, body, self.authorised))
        await stream[1].drain()
        answer = await asyncio.wait_for(read_answer(stream[0]), 120)
        self.judge("valid", answer, {200, 503, 504})
        if answer.status == 200:
            self.latencies.append(time.monotonic() - begin)
            if answer.body != self.expected[(name, path)]:
                self.wrong.append(f"valid: {name} {path}: another picture than alone")
            stages = answer.stages()
            if not stages:
                self.wrong.append("valid: no Server-Timing")
            elif name == "street" and path.endswith("mask"):
                self.times.append(stages)
        elif answer.status == 503:
            await asyncio.sleep(self.random.uniform(0.05, 0.3))
        if answer.headers.get("connection") == "close":
            stream[1].close()
            stream[1] = None

    async def simple(self, scenario, data, allowed):
        # A busy server may not come to it in time.
        self.judge(scenario, await self.exchange(data), allowed | {503, 504})

    async def batch(self, files, allowed):
        """Pictures and texts as one form: a result or an error for each, and an error as a whole if there is no result."""
        scenario = "batch" if 200 in allowed else "batch of texts"
        body = b"".join(
            b'--limit\r\nContent-Disposition: form-data; name="image"; filename="%d"\r\n\r\n%s\r\n' % (index, file)
            for index, file in enumerate(files)
        )
        headers = {**self.authorised, "Content-Type": "multipart/form-data; boundary=limit"}
        answer = await self.exchange(request("/v1/segment/batch?include=mask", body + b"--limit--\r\n", headers))
        self.judge(scenario, answer, allowed | {503, 504})
        # Refused as a whole, before there was a picture.
        if answer.status == 503 and b'"results"' not in answer.body:
            return
        mask = base64.b64encode(self.expected[("street", "/v1/segment?output=mask")]).decode()
        for file, entry in zip(files, json.loads(answer.body)["results"], strict=True):
            if entry["status"] == 200:
                right = file is self.street and entry["result"]["images"]["mask"] == mask
            else:
                right = entry["status"] in {503, 504} if file is self.street else entry["status"] in {415, 503}
            if not right:
                self.wrong.append(f"{scenario}: {str(entry)[:200]}")

    async def truncated(self):
        """Half a body, then the client closes its side; it still listens."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request("/v1/segment", self.street[:10000], self.authorised, length=len(self.street)))
            await writer.drain()
            writer.write_eof()
            self.judge("truncated upload", await asyncio.wait_for(read_answer(reader), 60), {400, 503})
        finally:
            writer.close()

    async def vanished(self):
        """Half a body, then nothing: the client is gone."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request("/v1/segment", self.street[:10000], self.authorised, length=len(self.street)))
        await writer.drain()
        writer.transport.abort()
        self.counts[("vanished client", 0)] += 1

    async def slow(self):
        """A byte now and then."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request("/v1/segment", b"", self.authorised, length=len(self.street)))
            answer = asyncio.ensure_future(asyncio.wait_for(read_answer(reader), 60))
            while not answer.done():
                writer.write(b"\xff")
                await asyncio.sleep(0.3)
            self.judge("slow sender", await answer, {408, 503})
        finally:
            writer.close()

    async def half_open(self):
        """A connection that says nothing for a while."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"POST /v1/seg")
        await asyncio.sleep(1)
        writer.close()
        self.counts[("half-open", 0)] += 1

    async def client(self, index):
        stream = [None, None]
        scenarios = [
            (60, "valid", lambda: self.valid(stream)),
            (6, "huge header", lambda: self.simple("huge header", request("/v1/segment", pictures.huge_header(), self.authorised), {413})),
            (6, "truncated", self.truncated),
            (4, "vanished", self.vanished),
            (3, "slow", self.slow),
            (2, "half-open", self.half_open),
            (6, "wrong token", lambda: self.simple("wrong token", request("/v1/segment", self.street, {"Authorization": "Bearer nonsense"}), {401})),
            (4, "text", lambda: self.simple("text file", request("/v1/segment", b"hello, world", self.authorised), {415})),
            (4, "damaged", lambda: self.simple("damaged picture", request("/v1/segment", self.street[:-2000], self.authorised), {400})),
            (2, "batch", lambda: self.batch([self.street, b"hello, world", self.street], {200})),
            (2, "batch of texts", lambda: self.batch([b"hello, world", b"hello"], {415})),
            (3, "parameter", lambda: self.simple("bad parameter", request("/v1/segment?size=0x0", self.street, self.authorised), {400})),
            (2, "too long", lambda: self.simple("too many bytes", request("/v1/segment", b"", self.authorised, length=1 << 40), {413})),
        ]
        weights = [weight for weight, _, _ in scenarios]
        while time.monotonic() < self.end:
            _, name, run = self.random.choices(scenarios, weights)[0]
            try:
                await run()
            except (Closed, ConnectionError, asyncio.TimeoutError) as error:
                self.lost.append(f"{name}: {type(error).__name__} {error}")
                if name == "valid":
                    stream[1] = None
        if stream[1]:
            stream[1].close()


async def run(arguments):
    with tempfile.TemporaryDirectory() as folder:
        token = pathlib.Path(folder, "token")
        token.write_text(TOKEN + "\n")
        server = Server(
            arguments.server, "--token-file", str(token), "--receive-timeout", str(RECEIVE_TIMEOUT), "--max-queue", "48",
            "--shutdown-delay", "0", *(["--threads", str(arguments.threads)] if arguments.threads else []),
            *(["--workers", str(arguments.workers)] if arguments.workers else []),
        )
        load = Load(server.port, 0, arguments.seed)
        await load.prepare()
        memory = [server.memory()]
        before = os.times()
        processor = server.processor_seconds()
        begin = time.monotonic()
        load.end = begin + arguments.seconds

        async def watch():
            while time.monotonic() < load.end and server.is_running():
                await asyncio.sleep(max(0.5, arguments.seconds / 30))
                if server.is_running():
                    memory.append(server.memory())

        await asyncio.gather(watch(), *(load.client(index) for index in range(arguments.clients)))
        seconds = time.monotonic() - begin
        lived = server.is_running()
        processor = server.processor_seconds() - processor if lived else 0
        after = os.times()
        status = server.stop()

    valid = load.counts[("valid", 200)]
    work = [t["decode"] + t["network"] + t["encode"] for t in load.times]
    report = {
        "clients": arguments.clients,
        "seconds": round(seconds, 1),
        "lived": lived,
        "exit code after SIGTERM": status,
        "answers": {f"{scenario} {code}" if code else scenario: count for (scenario, code), count in sorted(load.counts.items())},
        "wrong answers": len(load.wrong),
        "lost requests": len(load.lost),
        "valid answers per second": round(valid / seconds, 2),
        "latency of valid answers, s": {
            "median": round(statistics.median(load.latencies), 3) if load.latencies else None,
            "greatest": round(max(load.latencies, default=0), 3),
        },
        "server CPU seconds": round(processor, 1),
        "client CPU seconds": round(after.user + after.system - before.user - before.system, 1),
        "memory MiB, first to last": [round(m / (1 << 20)) for m in memory],
        "street, mask: decode + network + encode, median ms": round(statistics.median(work), 2) if work else None,
        "stages, median ms": {s: round(statistics.median(t[s] for t in load.times), 2) for s in ("queue", "decode", "network", "encode")} if work else None,
    }
    if arguments.segnet and work:
        bare = await bare_under_load(arguments, valid / seconds)
        report["segnet predict with the same clients, median ms"] = round(bare, 2)
        report["ratio"] = round(statistics.median(work) / bare, 3)
    for line in (load.wrong + load.lost)[:20]:
        print("  " + line, file=sys.stderr)
    return report


async def bare_under_load(arguments, rate):
    """What `segnet predict` says of the street while as many clients exchange as many answers with a server that computes nothing."""
    mask = pictures.png(480, 360, 0)
    queue = asyncio.Queue()

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                await queue.get()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(mask) + mask)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def tick():
        while True:
            await asyncio.sleep(1 / max(rate, 1))
            queue.put_nowait(None)

    async def exchange(port, body):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            writer.write(request("/v1/segment", body))
            await writer.drain()
            await read_answer(reader)

    stub = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = stub.sockets[0].getsockname()[1]
    street = (ROOT / "Models" / "street.jpg").read_bytes()
    tasks = [asyncio.ensure_future(tick())] + [asyncio.ensure_future(exchange(port, street)) for _ in range(arguments.clients)]
    with tempfile.TemporaryDirectory() as folder:
        pictures_folder = pathlib.Path(folder, "in")
        pictures_folder.mkdir()
        for index in range(arguments.bare_pictures):
            (pictures_folder / f"{index:04}.jpg").write_bytes(street)
        process = await asyncio.create_subprocess_exec(
            arguments.segnet, "predict", str(pictures_folder), "--output", folder + "/out", "--save", "mask", "--json",
            *(["--threads", str(arguments.threads)] if arguments.threads else []), stdout=subprocess.PIPE,
        )
        output, _ = await process.communicate()
    for task in tasks:
        task.cancel()
    stub.close()
    report = json.loads(output)
    return statistics.median(sum(p["milliseconds"][s] for s in ("decode", "network", "encode")) for p in report["pictures"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=built("Server", "segnet-server"))
    parser.add_argument("--segnet", default=built("", "segnet"))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--greedy", type=int, default=0, help="how many of the clients try to tie the service up")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--bare-pictures", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="also write the report here")
    arguments = parser.parse_args()
    if not arguments.server:
        raise SystemExit("segnet-server is not built; run 'make server' first.")
    if arguments.clients > 512 or arguments.seconds > 600:
        raise SystemExit("at most 512 clients for 600 seconds.")
    if arguments.greedy:
        return greedy.main(arguments)
    report = asyncio.run(run(arguments))
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(text + "\n")
    good = report["lived"] and not report["wrong answers"] and not report["lost requests"] and report["exit code after SIGTERM"] == 0
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
