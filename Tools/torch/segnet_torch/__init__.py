"""The trainer of SegNet for Swift in PyTorch: the same recipes, data sets and model files, on GPUs. See ../README.md."""
