"""How would a model score if it had been trained with other class weights?

    segnet predict CamVid/val --model MODEL --save logits --output logits
    python3 Tools/torch/logit_adjustment.py logits CamVid/valannot

Class weights w move a network's scores by about power * log(w): a softmax learnt with weights prefers rare classes by that much
(Menon et al., arXiv 2007.07314). So taking strength * log(w) from the scores of a finished model shows what a training with
`class-weight-power` lower by that strength would have given. w is the median frequency of each class over its frequency, from the
label pictures given. Labels are class ids; 11 and above are not labelled.

Prints, for each strength: global accuracy, class average, mean IoU, and the classes' IoU.
"""

import argparse
import pathlib

import numpy
from PIL import Image


def scores(logits, labels, classes):
    """Accuracy, class average, mean IoU and IoU by class of the highest logit."""
    known = labels < classes
    pairs = labels[known].astype(int) * classes + logits.argmax(-1)[known]
    matrix = numpy.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    right, true, found = numpy.diag(matrix), matrix.sum(1), matrix.sum(0)
    iou = right / numpy.maximum(true + found - right, 1)
    there = true > 0
    return right.sum() / matrix.sum(), (right[there] / true[there]).mean(), iou[there].mean(), iou


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logits", type=pathlib.Path, help="folder of STEM.logits.npy, [H, W, K], from 'segnet predict --save logits'")
    parser.add_argument("labels", type=pathlib.Path, help="folder of STEM.png, class ids, of the same size")
    parser.add_argument("--every", type=int, default=4, help="only every n-th row and column (default: 4)")
    options = parser.parse_args()
    files = sorted(options.logits.glob("*.logits.npy"))
    if not files:
        parser.error(f"{options.logits}: holds no *.logits.npy; run 'segnet predict --save logits' first")
    half, step = options.every // 2, options.every
    logits, labels = [], []
    for file in files:
        label = numpy.array(Image.open(options.labels / file.name.replace(".logits.npy", ".png")))
        logit = numpy.load(file, mmap_mode="r")
        if logit.shape[:2] != label.shape:
            parser.error(f"{file}: is {logit.shape[1]}x{logit.shape[0]}, its label {label.shape[1]}x{label.shape[0]}; save it with --size native")
        logits.append(numpy.array(logit[half::step, half::step], dtype=numpy.float32))
        labels.append(label[half::step, half::step])
    logits, labels = numpy.stack(logits), numpy.stack(labels)
    classes = logits.shape[-1]
    frequency = numpy.array([(labels == index).mean() for index in range(classes)])
    weights = numpy.where(frequency > 0, numpy.median(frequency[frequency > 0]) / numpy.maximum(frequency, 1e-12), 1)
    print("strength  accuracy  average  mean IoU  IoU of the classes")
    for strength in (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        accuracy, average, mean, iou = scores(logits - strength * numpy.log(weights), labels, classes)
        print(f"{strength:8.2f}  {100 * accuracy:8.2f}  {100 * average:7.2f}  {100 * mean:8.2f}  " + " ".join(f"{100 * x:.0f}" for x in iou))


if __name__ == "__main__":
    main()
