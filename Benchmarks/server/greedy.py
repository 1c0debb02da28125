"""Clients that try to tie the service up, next to honest ones: load.py --greedy 32.

For half of the given time, up to a minute, the honest clients are alone: each asks for a small picture every ten to twenty seconds.
Then the greedy ones join: a third of them hang up at once, a third do not read, a third ask for the most expensive work there is and wait.
"""

import asyncio
import collections
import json
import pathlib
import random
import statistics
import sys
import time

from client import Closed, Server, read_answer, request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Fairness is between addresses.
GREEDY_ADDRESS = ("127.0.0.2", 0)
EXPENSIVE = "/v1/segment?size=1024x768"
KINDS = ["hangs up", "does not read", "asks for the most expensive"]
THINKING = (10, 20)


class Siege:
    def __init__(self, port, seed):
        self.port = port
        self.random = random.Random(seed)
        self.street = (ROOT / "Models" / "street.jpg").read_bytes()
        self.expected = None
        self.begin(0)

    def begin(self, seconds):
        self.end = time.monotonic() + seconds
        self.latencies, self.faults = [], []
        self.counts = collections.Counter()

    async def exchange(self, path, address=None):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=address)
        try:
            writer.write(request(path, self.street))
            await writer.drain()
            return await asyncio.wait_for(read_answer(reader), 120)
        finally:
            writer.close()

    async def honest(self):
        await asyncio.sleep(self.random.uniform(0, min(THINKING[1], self.end - time.monotonic())))
        while time.monotonic() < self.end:
            start = time.monotonic()
            try:
                answer = await self.exchange("/v1/segment")
                self.counts[f"honest {answer.status}"] += 1
                self.latencies.append(time.monotonic() - start)
                if answer.status != 200:
                    self.faults.append(f"honest: {answer.status} {answer.body[:150]!r}")
                elif answer.body != self.expected:
                    self.faults.append("honest: a different mask than alone")
            except (Closed, ConnectionError, asyncio.TimeoutError) as error:
                self.faults.append(f"honest: {type(error).__name__} {error}")
            await asyncio.sleep(self.random.uniform(*THINKING))

    async def greedy(self, kind):
        while time.monotonic() < self.end:
            try:
                if kind == "asks for the most expensive":
                    answer = await self.exchange(EXPENSIVE, GREEDY_ADDRESS)
                    self.counts[f"{kind} {answer.status}"] += 1
                    if answer.status not in {200, 503, 504}:
                        self.faults.append(f"{kind}: {answer.status}")
                    if answer.status == 503:
                        await asyncio.sleep(0.3)
                    continue
                _, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=GREEDY_ADDRESS)
                writer.write(request(EXPENSIVE + ("&output=probabilities" if kind == "does not read" else ""), self.street))
                await writer.drain()
                await asyncio.sleep(5 if kind == "does not read" else self.random.uniform(0.05, 0.3))
                writer.transport.abort()
                self.counts[kind] += 1
            except (Closed, ConnectionError, asyncio.TimeoutError) as error:
                self.faults.append(f"{kind}: {type(error).__name__} {error}")


def threads(server):
    return len(list(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()))


async def run(arguments):
    options = ["--shutdown-delay", "0"]
    for name in ("threads", "workers"):
        if getattr(arguments, name):
            options += [f"--{name}", str(getattr(arguments, name))]
    server = Server(arguments.server, *options)
    siege = Siege(server.port, arguments.seed)
    siege.expected = (await siege.exchange("/v1/segment")).body
    honest = arguments.clients - arguments.greedy

    siege.begin(min(60, arguments.seconds / 2))
    await asyncio.gather(*(siege.honest() for _ in range(honest)))
    alone, faults = statistics.median(siege.latencies), siege.faults
    memory, counts = [server.memory()], [threads(server)]

    siege.begin(arguments.seconds)

    async def watch():
        while time.monotonic() < siege.end and server.is_running():
            await asyncio.sleep(max(0.2, arguments.seconds / 600))
            if server.is_running():
                memory.append(server.memory())
                counts.append(threads(server))

    await asyncio.gather(watch(), *(siege.honest() for _ in range(honest)),
                         *(siege.greedy(KINDS[index % 3]) for index in range(arguments.greedy)))
    lived = server.is_running()
    await asyncio.sleep(2)
    if lived:
        memory.append(server.memory())
        counts.append(threads(server))
    status = server.stop()
    besieged = statistics.median(siege.latencies)
    ordered = sorted(siege.latencies)
    return {
        "clients": arguments.clients, "of them greedy": arguments.greedy, "seconds": arguments.seconds,
        "lived": lived, "exit code after SIGTERM": status,
        "answers": dict(sorted(siege.counts.items())),
        "small requests, s": {
            "median alone": round(alone, 3), "median": round(besieged, 3), "95 %": round(ordered[len(ordered) * 95 // 100], 3),
            "greatest": round(ordered[-1], 3), "times alone": round(besieged / alone, 2),
        },
        "faults": len(faults + siege.faults),
        "memory MiB: before, greatest, after": [round(m / (1 << 20)) for m in (memory[0], max(memory), memory[-1])],
        "threads: before, greatest, after": [counts[0], max(counts), counts[-1]],
    }, faults + siege.faults


def main(arguments):
    report, faults = asyncio.run(run(arguments))
    for line in faults[:20]:
        print("  " + line, file=sys.stderr)
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(text + "\n")
    sys.exit(0 if report["lived"] and not faults and report["small requests, s"]["times alone"] <= 4 else 1)
