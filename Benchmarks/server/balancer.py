#!/usr/bin/env python3
"""Tests what docs/server.md says about several servers behind nginx, with three servers of which one is killed under load.

    Benchmarks/server/balancer.py [--server PROGRAM] [--clients 12] [--seconds 20]

Three servers run in separate network namespaces on this machine, as on three machines. nginx, with Server/deploy/nginx.conf except for
addresses and TLS, and the clients are in a fourth. After a third of the time one server gets SIGKILL, after two thirds it starts again. Each
answer is compared with that of a server without a balancer. Needs root (for the namespaces), ip, nginx and cc.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "scaling"))

import pictures
from client import Closed, read_answer, request
from links import Links

PORT = 8080
BALANCER = ("10.77.0.1", 8443)


def configuration(folder, addresses):
    """The deployed file with other addresses, without TLS, and with the server's address in each answer."""
    text = (ROOT / "Server" / "deploy" / "nginx.conf").read_text()
    servers = "".join(f"    server {address}:{PORT} max_fails=0;\n" for address in addresses)
    text, count = re.subn(r"(    server [\d.]+:\d+ max_fails=0;\n)+", servers, text)
    assert count == 1, "the upstream block has changed"
    text = re.sub(r"listen 8443 ssl;", f"listen {BALANCER[0]}:{BALANCER[1]};", text)
    text = re.sub(r"    ssl_certificate.*\n", "", text)
    text = text.replace("proxy_pass http://segnet;", "proxy_pass http://segnet;\n        add_header X-Upstream $upstream_addr always;")
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{ worker_connections 512; }}\n"
        f"http {{\naccess_log off;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n"
        f"fastcgi_temp_path {folder}/f;\nuwsgi_temp_path {folder}/u;\nscgi_temp_path {folder}/s;\n{text}}}\n"
    )
    return path


async def ask(address, body, seconds=45):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), 5)
    try:
        writer.write(request("/v1/segment?output=mask&size=128x96", body))
        await writer.drain()
        return await asyncio.wait_for(read_answer(reader), seconds)
    finally:
        writer.close()


async def clients(options):
    """Runs in the namespace of nginx, and prints what happened."""
    bodies = [pictures.png(200 + 40 * number, 150, number) for number in range(4)]
    expected = [(await ask((options.client, PORT), body)).body for body in bodies]
    begin, end = time.time(), time.time() + options.seconds
    records = []

    async def client(number):
        turn = number
        while time.time() < end:
            turn += 1
            start = time.time()
            try:
                answer = await ask(BALANCER, bodies[turn % 4])
                kind = "right" if answer.status == 200 and answer.body == expected[turn % 4] else str(answer.status)
                records.append([start - begin, time.time() - start, kind, answer.headers.get("x-upstream", "")])
            except (Closed, OSError, asyncio.TimeoutError) as error:
                records.append([start - begin, time.time() - start, type(error).__name__, ""])

    await asyncio.gather(*(client(number) for number in range(options.clients)))
    print(json.dumps(records))


def wait_until_ready(name, address, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        done = subprocess.run(
            ["ip", "netns", "exec", name, sys.executable, "-c",
             f"import urllib.request as u; u.urlopen('http://{address}:{PORT}/readyz', timeout=2)"], capture_output=True
        )
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise SystemExit(f"balancer: the server at {address} did not start")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", default=str(ROOT / "Server" / ".build" / "release" / "segnet-server"))
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        return asyncio.run(clients(options))
    for program, how in ((options.server, "make server"), (shutil.which("nginx") or "nginx", "apt-get install nginx-light")):
        if not os.access(program, os.X_OK):
            raise SystemExit(f"balancer: {program}: not found; {how}")
    model = ROOT / "Models" / "segnet-basic-camvid.safetensors"
    processes = {}
    with tempfile.TemporaryDirectory(prefix="segnet-balancer-") as folder, Links(3, rate=None) as links:
        os.chmod(folder, 0o755)
        addresses = [f"10.77.0.{number + 2}" for number in range(3)]

        def start(number):
            words = ["ip", "netns", "exec", links.nodes[number], options.server, "--host", "0.0.0.0", "--port", str(PORT),
                     "--model", str(model), "--threads", "1", "--log-level", "critical"]
            processes[number] = subprocess.Popen(words, stdout=subprocess.DEVNULL)

        nginx = None
        try:
            for number in range(3):
                start(number)
            for address in addresses:
                wait_until_ready(links.names[0], address)
            path = configuration(pathlib.Path(folder), addresses)
            nginx = subprocess.Popen(["ip", "netns", "exec", links.names[0], "nginx", "-c", str(path), "-g", "user root;"])
            time.sleep(0.5)
            load = subprocess.Popen(
                ["ip", "netns", "exec", links.names[0], sys.executable, __file__, "--client", addresses[0], "--clients", str(options.clients),
                 "--seconds", str(options.seconds)], stdout=subprocess.PIPE, text=True
            )
            time.sleep(options.seconds / 3)
            # `ip netns exec` becomes the server, so this is the server's process.
            processes[1].kill()
            processes[1].wait()
            time.sleep(options.seconds / 3)
            start(1)
            records = json.loads(load.communicate(timeout=options.seconds + 120)[0])
        finally:
            for process in [*processes.values(), *([nginx] if nginx else [])]:
                process.terminate()
            for process in [*processes.values(), *([nginx] if nginx else [])]:
                process.wait(timeout=60)
    raise SystemExit(report(records, addresses, options))


def report(records, addresses, options):
    kinds = collections.Counter(record[2] for record in records)
    retried = [record for record in records if "," in record[3]]
    print(f"{len(records)} requests by {options.clients} clients in {options.seconds:.0f} s: "
          + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    third = options.seconds / 3
    for number in range(3):
        part = [record for record in records if third * number <= record[0] < third * (number + 1)]
        by = collections.Counter(record[3].split(", ")[-1].split(":")[0] for record in part)
        times = sorted(record[1] for record in part) or [0]
        name = ("three servers", "one killed", "running again")[number]
        print(f"  {name:14} {len(part) / third:6.1f} per second, median {1000 * times[len(times) // 2]:.0f} ms, "
              f"99 % below {1000 * times[int(0.99 * (len(times) - 1))]:.0f} ms; " + ", ".join(f"{by[a]} by {a}" for a in addresses))
    print(f"  {len(retried)} went to a second server, {sum(record[2] == 'right' for record in retried)} of them with the right answer")
    wrong = [record for record in records if record[2] != "right"]
    for record in wrong[:10]:
        print(f"  not answered: {record}")
    back = any(record[0] > 2 * third and addresses[1] in record[3].split(", ")[-1] for record in records)
    print("  the killed server answered again" if back else "  the killed server was NOT asked again")
    return 1 if wrong or not back or not retried else 0


if __name__ == "__main__":
    main()
