#!/usr/bin/env python3
"""Masks per second and per CPU second through HTTP, compared with the library without HTTP.

    Benchmarks/server/throughput.py [--server PROGRAM] [--segnet PROGRAM] [--clients 4] [--seconds 20] [--threads N] [--workers N]

Clients on connections that are kept send the bundled street (480x360) to `/v1/segment?output=mask`; then `segnet predict` does the
same work (decode, network, encode) on as many pictures. The server's and the clients' CPU times are stated apart. In turns, so
that both see the same machine. Only the standard library is needed.
"""

import argparse
import asyncio
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from client import Server, read_answer, request
from load import ROOT, built


async def clients(port, count, seconds, body):
    """Answers of each client, and all Server-Timings."""
    end = time.monotonic() + seconds
    times = []

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        data = request("/v1/segment?output=mask", body)
        while time.monotonic() < end:
            writer.write(data)
            await writer.drain()
            answer = await read_answer(reader)
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {answer.body[:200]}")
            times.append(answer.stages())
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)))
    return times


def predict(segnet, body, count, options):
    """Wall and CPU seconds of `segnet predict` on so many copies of a picture."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = pathlib.Path(folder, "in")
        pictures.mkdir()
        for index in range(count):
            (pictures / f"{index:05}.jpg").write_bytes(body)
        before, begin = os.times(), time.monotonic()
        output = subprocess.run(
            [segnet, "predict", str(pictures), "--output", folder + "/out", "--save", "mask", "--json", *options],
            check=True, stdout=subprocess.PIPE,
        ).stdout
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return time.monotonic() - begin, cpu, json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=built("Server", "segnet-server"))
    parser.add_argument("--segnet", default=built("", "segnet"))
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    if not arguments.server or not arguments.segnet:
        raise SystemExit("segnet-server or segnet is not built; run 'make server' and 'make build' first.")
    if arguments.clients > 64 or arguments.seconds * arguments.rounds > 600:
        raise SystemExit("at most 64 clients for 600 seconds in all.")
    body = (ROOT / "Models" / "street.jpg").read_bytes()
    threads = ["--threads", str(arguments.threads)] if arguments.threads else []
    workers = ["--workers", str(arguments.workers)] if arguments.workers else []
    server = Server(arguments.server, "--shutdown-delay", "0", *threads, *workers)
    rounds = []
    asyncio.run(clients(server.port, arguments.clients, 2, body))
    for _ in range(arguments.rounds):
        cpu, client, begin = server.processor_seconds(), os.times(), time.monotonic()
        times = asyncio.run(clients(server.port, arguments.clients, arguments.seconds, body))
        wall, cpu, after = time.monotonic() - begin, server.processor_seconds() - cpu, os.times()
        client = after.user + after.system - client.user - client.system
        # Starting and reading the model is not what is compared: the difference of a long and a short run has none of it.
        few = max(2, len(times) // 10)
        _, short, _ = predict(arguments.segnet, body, few, threads)
        bare_wall, long, report = predict(arguments.segnet, body, len(times) + few, threads)
        work = statistics.median(t["decode"] + t["network"] + t["encode"] for t in times)
        bare = statistics.median(sum(p["milliseconds"][s] for s in ("decode", "network", "encode")) for p in report["pictures"])
        rounds.append({
            "masks": len(times),
            "masks per second": round(len(times) / wall, 2),
            "masks per CPU second of the server": round(len(times) / cpu, 3),
            "client CPU seconds per mask": round(client / len(times), 5),
            "segnet predict: pictures per second": round((len(times) + few) / bare_wall, 2),
            "segnet predict: pictures per CPU second": round(len(times) / (long - short), 3),
            "server / predict, per CPU second": round(len(times) / cpu / (len(times) / (long - short)), 3),
            "decode + network + encode, median ms": [round(work, 2), round(bare, 2)],
        })
        print(json.dumps(rounds[-1], indent=2), flush=True)
    server.stop()
    ratios = [r["server / predict, per CPU second"] for r in rounds]
    print(f"per CPU second the server gives {100 * statistics.median(ratios):.1f} % of what 'segnet predict' gives (median of {len(ratios)} rounds)")


if __name__ == "__main__":
    main()
