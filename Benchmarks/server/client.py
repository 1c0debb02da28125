"""A small HTTP/1.1 client on asyncio streams that can also misbehave, and a server process to talk to."""

import asyncio
import os
import re
import subprocess
import time


class Closed(Exception):
    """The connection ended before a whole answer."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def stages(self):
        """Server-Timing in milliseconds, by stage; None where there is none."""
        text = self.headers.get("server-timing")
        return {k: float(v) for k, v in re.findall(r"(\w+);dur=([\d.]+)", text)} if text else None


async def read_answer(reader):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if status == 100:
            return await read_answer(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError) as error:
        raise Closed(str(error)) from error
    return Answer(status, headers, body)


def request(path, body=b"", headers=None, method="POST", length=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Server:
    """segnet-server on a loopback port of the system's choice, until `stop`."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen(
            [program, "--host", "127.0.0.1", "--port", "0", "--log-level", "critical", *options], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if not found:
            raise SystemExit(f"the server did not start: {line}")
        self.port = int(found.group(1))

    def memory(self):
        """Bytes that the process holds now."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        """SIGTERM, and how it ended: 0 is well."""
        self.process.terminate()
        begin = time.monotonic()
        while self.process.poll() is None and time.monotonic() - begin < 60:
            time.sleep(0.05)
        return self.process.poll()
