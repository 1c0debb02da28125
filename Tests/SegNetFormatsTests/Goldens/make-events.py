"""Writes events.tfevents beside this file with TensorBoard's own EventFileWriter: the records that our writer must equal byte by byte.

    python Tests/SegNetFormatsTests/Goldens/make-events.py

Needs tensorboard from PyPI; made with tensorboard 2.21.0, protobuf 7.36.2.
"""
import pathlib
import shutil
import tempfile
import time

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

# The writer puts the time into its first record.
time.time = lambda: 1764150000.25


def event(step, seconds, **content):
    return event_pb2.Event(wall_time=1764150000.25 + seconds, step=step, **content)


def scalar(tag, value):
    return summary_pb2.Summary.Value(tag=tag, simple_value=value)


def picture(tag, content, width, height, colorspace):
    image = summary_pb2.Summary.Image(width=width, height=height, colorspace=colorspace, encoded_image_string=content)
    return summary_pb2.Summary.Value(tag=tag, image=image)


with tempfile.TemporaryDirectory() as folder:
    writer = EventFileWriter(folder)
    writer.add_event(event(1, 0.5, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)))
    values = [scalar("train/loss", 2.5), scalar("train/learning_rate", 0.1), scalar("train/mean_iou", 0.0)]
    writer.add_event(event(1, 1, summary=summary_pb2.Summary(value=values)))
    values = [scalar("class_iou/Straße", float("inf")), scalar("class_iou/sky", float("nan"))]
    writer.add_event(event(123456789012, 2, summary=summary_pb2.Summary(value=values)))
    # The content of a picture is any bytes here; 300 of them need lengths of two bytes.
    writer.add_event(event(300, 3, summary=summary_pb2.Summary(
        value=[picture("validation/1", bytes(i % 256 for i in range(300)), 640, 200, 3)])))
    writer.add_event(event(301, 4, summary=summary_pb2.Summary()))
    writer.close()
    (written,) = pathlib.Path(folder).iterdir()
    shutil.copy(written, pathlib.Path(__file__).parent / "events.tfevents")
