"""How exactly a GPU multiplies. On a CPU all is float32."""

import contextlib

import torch


@contextlib.contextmanager
def _set(allows_tf32, searches):
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, products.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, products.allow_tf32, cudnn.benchmark = allows_tf32, allows_tf32, searches
    try:
        yield
    finally:
        cudnn.allow_tf32, products.allow_tf32, cudnn.benchmark = before


def of_training(precision):
    """Batches are all of one size: the fastest kernels are worth a search."""
    return _set(precision != "float32", True)


def exact():
    """Float32 without TF32, for all that is measured."""
    return _set(False, False)
