"""What a run leaves in its folder: recipe.yaml, log.jsonl, last.pt, last.safetensors, best.safetensors."""

import json
import os

import torch

from .errors import UserError

CHECKPOINT = "last.pt"
SWIFT_CHECKPOINT = "last.checkpoint"


class RunFolder:
    def __init__(self, path):
        self.path = path
        self.log = None

    @property
    def checkpoint(self):
        return self.path / CHECKPOINT

    def begin(self, resume):
        """Makes the folder; returns the checkpoint to go on from, or None."""
        if not resume and self.checkpoint.exists():
            raise UserError(f"{self.path}: already holds a training ({CHECKPOINT}); continue with --resume, or give another --output.")
        if not self.checkpoint.exists() and (self.path / SWIFT_CHECKPOINT).exists():
            raise UserError(f"{self.path}: holds a training of the Swift command ({SWIFT_CHECKPOINT}), which goes on there alone; give another "
                            f"--output, and --model {self.path}/last.safetensors to begin with what it learnt.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.path}: cannot be made ({error.strerror}); check --output.") from error
        if not self.checkpoint.exists():
            return None
        try:
            return torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged file makes PyTorch say
            raise UserError(f"{self.checkpoint}: cannot be read ({type(error).__name__}); begin a new run (--output).") from error

    def write_checkpoint(self, state):
        torch.save(state, f"{self.checkpoint}.part")
        os.replace(f"{self.checkpoint}.part", self.checkpoint)

    def write_recipe(self, text):
        part = self.path / "recipe.yaml.part"
        part.write_text(text, encoding="utf-8")
        os.replace(part, self.path / "recipe.yaml")

    def open_log(self, step):
        """Goes on behind a step: later lines are taken away, so that no step is told twice. -1: begins anew."""
        path = self.path / "log.jsonl"
        kept = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line + "\n")
            except (ValueError, KeyError, TypeError):  # cut short by a kill
                continue
        part = self.path / "log.jsonl.part"
        part.write_text("".join(kept), encoding="utf-8")
        os.replace(part, path)
        self.log = open(path, "a", encoding="utf-8")

    def write_log(self, entry):
        if self.log:
            self.log.write(json.dumps(entry, sort_keys=True, separators=(",", ":")) + "\n")
            self.log.flush()

    def close(self):
        if self.log:
            self.log.close()
