#!/usr/bin/env python3
"""Segments pictures on Spark: a table of paths becomes a table of masks and classes.

    spark-submit --py-files segnet_batches.py spark.py PICTURES OUTPUT.parquet [pictures per batch]

PICTURES is a folder that all executors see. Each task runs one `segnet` with spark.task.cpus threads; give tasks all cores of an executor,
or one thread each. It runs on one machine too: python3 spark.py photos/ masks.parquet
"""

import sys

import segnet_batches
from pyspark.sql import SparkSession

SCHEMA = "path string, mask binary, classes map<string, double>, error string"


def rows(threads):
    """Called by Spark for each part of the table: frames of paths in, frames of results out."""

    def map_frames(frames):
        import pandas

        for frame in frames:
            yield pandas.DataFrame(segnet_batches.segment(list(frame["path"]), "--threads", str(threads)))

    return map_frames


def main(pictures, output, batch=100):
    spark = SparkSession.builder.appName("segnet").config("spark.sql.execution.arrow.maxRecordsPerBatch", batch).getOrCreate()
    try:
        paths = segnet_batches.pictures(pictures)
        table = spark.createDataFrame([(path,) for path in paths], "path string")
        # One part per batch, so that a lost executor costs only one batch.
        table = table.repartition(max(1, -(-len(paths) // batch)))
        threads = int(spark.conf.get("spark.task.cpus", "1"))
        table.mapInPandas(rows(threads), SCHEMA).write.mode("overwrite").parquet(output)
        done = spark.read.parquet(output)
        print(f"{done.count()} pictures, {done.where('error is not null').count()} failed")
    finally:
        spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
