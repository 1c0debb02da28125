"""The examples of Examples/Scaling, run where their engines are: `scripts/test-scaling`."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "Examples" / "Scaling"
SEGNET = pathlib.Path(os.environ.get("SEGNET") or ROOT / ".build" / "release" / "segnet").resolve()
MODEL = ROOT / "Models" / "segnet-basic-camvid.safetensors"


def png(width, height, seed):
    """A small noisy picture."""
    rows = b"".join(
        b"\0" + bytes((x * 7 + y * 13 + seed * 31 + c * 50) % 256 for x in range(width) for c in range(3)) for y in range(height)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Examples(unittest.TestCase):
    pictures = 9

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="segnet-scaling-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for number in range(self.pictures):
            path = self.folder / "pictures" / str(number % 2) / f"{number // 2}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(60, 40, number))
        # A segnet that takes a small model and a small size, so that the engines' own time is most of the test.
        program = self.folder / "bin" / "segnet"
        program.parent.mkdir()
        extra = f'--model "{MODEL}" --size 48x32'
        program.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *--merge*) exec "{SEGNET}" "$@";; *) command=$1; shift; exec "{SEGNET}" "$command" {extra} "$@";; esac\n'
        )
        program.chmod(0o755)
        self.environment = dict(
            os.environ, SEGNET=str(program), PATH=f"{program.parent}:{os.environ['PATH']}", PYTHONPATH=str(EXAMPLES)
        )

    def expected(self):
        """The masks of one run of the command, by path."""
        out = self.folder / "expected"
        subprocess.run(
            [self.environment["SEGNET"], "predict", self.folder / "pictures", "--output", out, "--save", "mask", "--quiet"],
            check=True, env=self.environment, stdout=subprocess.DEVNULL,
        )
        return {
            str(self.folder / "pictures" / path.relative_to(out)).replace(".mask.png", ".png"): path.read_bytes()
            for path in out.rglob("*.mask.png")
        }

    def run_example(self, *words, environment=None):
        done = subprocess.run(
            [str(word) for word in words], env=environment or self.environment, capture_output=True, text=True, timeout=1200, cwd=self.folder
        )
        self.assertEqual(done.returncode, 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def parquet(self, folder):
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(str(folder))
        return {row["path"]: row for row in table.to_pylist()}

    def test_batches_keep_the_order_and_name_what_fails(self):
        sys.path.insert(0, str(EXAMPLES))
        self.addCleanup(sys.path.remove, str(EXAMPLES))
        import segnet_batches

        segnet_batches.SEGNET = self.environment["SEGNET"]
        bad = self.folder / "bad.png"
        bad.write_text("no picture")
        paths = [self.folder / "pictures/1/0.png", bad, self.folder / "pictures/0/0.png"]
        rows = segnet_batches.segment(paths)
        expected = self.expected()
        self.assertEqual([row["path"] for row in rows], [str(path) for path in paths])
        self.assertEqual([row["mask"] for row in rows], [expected[str(paths[0])], None, expected[str(paths[2])]])
        self.assertIn("PNG", rows[1]["error"])
        self.assertAlmostEqual(sum(rows[0]["classes"].values()), 1, places=6)
        self.assertEqual(segnet_batches.pictures(self.folder / "pictures"), sorted(expected))
        # Formats beside PNG are found and segmented, too: a BMP of 60 x 40 gray pixels.
        bmp = self.folder / "a.BMP"
        head = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + 7200, 0, 0, 54, 40, 60, 40, 1, 24, 0, 7200, 0, 0, 0, 0)
        bmp.write_bytes(head + b"\x80" * 7200)
        (self.folder / "notes.txt").write_text("no picture")
        found = segnet_batches.pictures(self.folder)
        self.assertIn(str(bmp), found)
        self.assertNotIn(str(self.folder / "notes.txt"), found)
        row = segnet_batches.segment([bmp])[0]
        self.assertTrue(row["error"] is None and row["mask"].startswith(b"\x89PNG"))
        segnet_batches.SEGNET = "/bin/false"
        with self.assertRaisesRegex(RuntimeError, "segnet ended with 1"):
            segnet_batches.segment(paths[:1])

    def test_spark(self):
        try:
            import pyspark
        except ImportError:
            self.skipTest("pyspark is not installed (scripts/setup-scaling)")
        if not shutil.which("java"):
            self.skipTest("no Java for Spark (scripts/setup-scaling)")
        environment = dict(self.environment, PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
        words = [sys.executable, EXAMPLES / "spark.py", self.folder / "pictures", self.folder / "out.parquet", "4"]
        self.assertIn("9 pictures, 0 failed", self.run_example(*words, environment=environment))
        rows = self.parquet(self.folder / "out.parquet")
        self.assertEqual({path: row["mask"] for path, row in rows.items()}, self.expected())

    def test_ray(self):
        try:
            import ray
        except ImportError:
            self.skipTest("ray is not installed (scripts/setup-scaling)")
        environment = dict(self.environment, RAY_USAGE_STATS_ENABLED="0")
        words = [sys.executable, EXAMPLES / "ray_batches.py", self.folder / "pictures", self.folder / "out", "4"]
        self.assertIn("9 pictures, 0 failed", self.run_example(*words, environment=environment))
        rows = self.parquet(self.folder / "out")
        self.assertEqual({path: row["mask"] for path, row in rows.items()}, self.expected())

    def test_parallel(self):
        if not shutil.which("parallel"):
            self.skipTest("GNU parallel is not installed (scripts/setup-scaling)")
        said = self.run_example(EXAMPLES / "parallel.sh", "pictures", "out", "4", "1", "--jobs", "2", "--will-cite")
        self.assertIn("4 of 4 shards done: 9 pictures, 0 failed", said)
        self.check_files()

    def check_files(self):
        expected = self.expected()
        found = {
            str(self.folder / "pictures" / path.relative_to(self.folder / "out")).replace(".mask.png", ".png"): path.read_bytes()
            for path in (self.folder / "out").rglob("*.mask.png")
        }
        self.assertEqual(found, expected)

    def srun(self):
        """As Slurm's, without Slurm: its own options first, then the command."""
        path = self.folder / "bin" / "srun"
        path.write_text('#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n')
        path.chmod(0o755)

    def test_slurm_array_as_slurm_would_run_it(self):
        self.srun()
        script = EXAMPLES / "slurm-array.sh"
        text = script.read_text()
        self.assertEqual(re.search(r"--array=1-(\d+)", text).group(1), re.search(r"--shard auto/(\d+)", text).group(1))
        for task in range(1, 65):
            environment = dict(
                self.environment, LIST="pictures", OUTPUT="out", SLURM_ARRAY_TASK_ID=str(task), SLURM_ARRAY_TASK_MIN="1",
                SLURM_ARRAY_TASK_MAX="64", SLURM_ARRAY_TASK_COUNT="64", SLURM_CPUS_PER_TASK="1",
            )
            # Nine of the 64 parts have a picture; a few of the others are enough.
            if task <= 12:
                self.run_example("bash", script, environment=environment)
        self.check_files()

    def test_slurm_options(self):
        if not shutil.which("sbatch"):
            self.skipTest("sbatch is not here (Debian: slurm-client)")
        known = subprocess.run(["sbatch", "--help"], capture_output=True, text=True).stdout
        for script in EXAMPLES.glob("slurm-*.sh"):
            for option in re.findall(r"^#SBATCH (--[a-z-]+)", script.read_text(), re.M):
                self.assertIn(f"{option}=", known.replace(f"{option} ", f"{option}=").replace(f"{option}[", f"{option}="), option)

    def test_kubernetes_job(self):
        try:
            import kubernetes_validate
            import yaml
        except ImportError:
            self.skipTest("kubernetes-validate is not installed (scripts/setup-scaling)")
        job = yaml.safe_load((EXAMPLES / "kubernetes-job.yaml").read_text())
        version = kubernetes_validate.latest_version()
        kubernetes_validate.validate(job, version, strict=True)
        spec = job["spec"]
        words = spec["template"]["spec"]["containers"][0]["command"]
        self.assertEqual(words[words.index("--shard") + 1], f"auto/{spec['completions']}")
        # The schema finds what is misspelt.
        spec["completionsMode"] = spec.pop("completionMode")
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(job, version, strict=True)
        # The command as a pod runs it, an index at a time.
        (self.folder / "archive.txt").write_text(
            "\n".join(str(path.relative_to(self.folder)) for path in sorted((self.folder / "pictures").rglob("*.png"))) + "\n"
        )
        words = [word.replace("/pictures/archive.txt", "archive.txt").replace("/results/masks", "masks") for word in words]
        for index in range(self.pictures):
            self.run_example(*words, environment=dict(self.environment, JOB_COMPLETION_INDEX=str(index)))
        self.assertEqual(len(list((self.folder / "masks").rglob("*.mask.png"))), self.pictures)


if __name__ == "__main__":
    unittest.main()
