#!/usr/bin/env python3
"""Segments pictures on Ray, with map_batches over their paths.

    python3 ray_batches.py PICTURES OUTPUT [pictures per batch] [cores per batch]

PICTURES is a folder that all nodes see; OUTPUT gets Parquet files with path, mask and error. Ray runs as many batches as the cores allow, and
starts those of a lost node again.
"""

import pathlib
import sys

import ray
import segnet_batches


def segment(batch, threads):
    """Called by Ray: a batch of columns in, columns out."""
    import numpy

    results = segnet_batches.segment([str(path) for path in batch["path"]], "--threads", str(threads))
    return {
        "path": batch["path"],
        "mask": numpy.array([result["mask"] or b"" for result in results], dtype=object),
        "error": numpy.array([result["error"] or "" for result in results], dtype=object),
    }


def main(pictures, output, batch=100, cores=1):
    # Workers import the module next to this file.
    ray.init(runtime_env={"env_vars": {"PYTHONPATH": str(pathlib.Path(__file__).resolve().parent)}}, log_to_driver=False)
    try:
        paths = segnet_batches.pictures(pictures)
        table = ray.data.from_items([{"path": path} for path in paths])
        table = table.map_batches(segment, batch_size=batch, num_cpus=cores, fn_kwargs={"threads": cores}, batch_format="numpy")
        table.write_parquet(output)
        done = ray.data.read_parquet(output)
        failed = sum(1 for row in done.iter_rows() if row["error"])
        print(f"{done.count()} pictures, {failed} failed")
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:5]))
