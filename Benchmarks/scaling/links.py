"""Namespaces of this machine, connected by slow links, and `mpirun` over them. Needs root; touches nothing that it has not made."""

import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


class Links:
    """`count` namespaces, each behind a link of `rate` (as tc writes it; None for no limit) and `delay` seconds each way; and one more for mpirun.

    Addresses are 10.77.0.1 for mpirun and 10.77.0.2 and on for the others. Everything is removed at the end, whatever happens.
    """

    def __init__(self, count, rate="1gbit", delay=0.0):
        self.rate, self.delay = rate, delay
        self.names = [f"segnet-{os.getpid()}-{number}" for number in range(count + 1)]
        self.relay = None

    @property
    def nodes(self):
        return self.names[1:]

    def __enter__(self):
        if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("tc"):
            raise SystemExit("links: needs root, ip and tc (Debian: iproute2).")
        self.folder = tempfile.TemporaryDirectory(prefix="segnet-links-")
        try:
            for name in self.names:
                run("ip", "netns", "add", name)
            self.start_relay()
            for number, name in enumerate(self.names):
                run("ip", "-n", name, "link", "set", "lo", "up")
                run("ip", "-n", name, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "seg0")
                run("ip", "-n", name, "link", "set", "seg0", "mtu", "16000", "up")
                if self.rate and number > 0:
                    run("tc", "-n", name, "qdisc", "add", "dev", "seg0", "root", "tbf", "rate", self.rate, "burst", "256kb", "latency", "200ms")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_relay(self):
        program = os.path.join(self.folder.name, "delay")
        run("cc", "-O2", "-o", program, str(HERE / "delay.c"))
        words = [program, str(int(self.delay * 1e6)), *self.names]
        self.relay = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.relay.stdout.readline() != "ready\n":
            raise SystemExit("links: the devices could not be made; /dev/net/tun is needed.")

    def __exit__(self, *_):
        if self.relay:
            self.relay.stdin.close()
            self.relay.wait(timeout=10)
        for name in self.names:
            run("ip", "netns", "del", name, check=False)
        self.folder.cleanup()

    def mpirun(self, command, environment, ranks=None):
        """The words that start `command` as one rank in each of the first `ranks` namespaces, with Open MPI."""
        agent = os.path.join(self.folder.name, "agent")
        with open(agent, "w") as file:
            # It is called like ssh. A different host name makes Open MPI take it for a different machine.
            exports = "".join(f"export {name}='{value}'; " for name, value in environment.items())
            file.write(
                '#!/bin/sh\nhost=$1; shift\n'
                f"exec ip netns exec $host unshare --uts sh -c \"hostname $host; {exports}$*\"\n"
            )
        os.chmod(agent, 0o755)
        nodes = self.nodes[:ranks]
        return [
            "ip", "netns", "exec", self.names[0], "env", *[f"{name}={value}" for name, value in environment.items()],
            "mpirun", "--host", ",".join(f"{name}:1" for name in nodes), "-n", str(len(nodes)),
            "--mca", "plm_rsh_agent", agent, "--mca", "plm_rsh_no_tree_spawn", "1", "--mca", "btl", "tcp,self", "--mca", "pml", "ob1",
            "--mca", "btl_tcp_if_include", "10.77.0.0/24", "--mca", "oob_tcp_if_include", "10.77.0.0/24", "--bind-to", "none",
            *command,
        ]


def root_environment():
    """Open MPI refuses to run as root unless it is allowed twice."""
    return {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
