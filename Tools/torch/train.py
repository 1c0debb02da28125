#!/usr/bin/env python3
"""Trains SegNet with PyTorch, as `segnet train` does: `train.py --help`, README.md next to this file."""

import sys

from segnet_torch.command import main

if __name__ == "__main__":
    sys.exit(main())
