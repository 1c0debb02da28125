"""One process, or several that `torchrun` started: each with its GPU and its part of a step's batches."""

import os

import torch
import torch.distributed as distributed

from .errors import UserError


class Processes:
    def __init__(self, device=None):
        """device: `cuda`, `cuda:1`, `cpu`; None: a GPU where there is one."""
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise UserError(f"--device {device}: PyTorch finds no GPU here (torch {torch.__version__}); use --device cpu, or install a PyTorch "
                            "for your GPU.")
        if device == "cuda":
            device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
        try:
            self.device = torch.device(device)
        except RuntimeError as error:
            raise UserError(f"--device {device}: is not a device that PyTorch knows; use cuda, cuda:1 or cpu.") from error
        if self.device.type not in ("cuda", "cpu"):
            raise UserError(f"--device {device}: this program runs on cuda (NVIDIA, or AMD with PyTorch for ROCm) and cpu.")
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        if self.count > 1:
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @property
    def is_first(self):
        return self.rank == 0

    def sum(self, tensor):
        """The sum over all processes, in the tensor's place."""
        if self.count > 1:
            distributed.all_reduce(tensor)
        return tensor

    def sum_all(self, tensors):
        """The same of many tensors, as one message."""
        if self.count > 1 and tensors:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            distributed.all_reduce(flat)
            for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
                tensor.copy_(part.view(tensor.shape))

    def any(self, flag):
        """Whether it is so in any of the processes."""
        return bool(self.sum(torch.tensor(int(flag), device=self.device))) if self.count > 1 else bool(flag)

    def mine(self, items):
        """Those of a list that fall to this process."""
        return items[self.rank :: self.count]

    def stop(self):
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()
