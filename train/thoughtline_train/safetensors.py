"""Weights as other libraries read them: a header of JSON, then the tensors one after the other
(https://huggingface.co/docs/safetensors)."""

import json
from pathlib import Path

import numpy as np
import torch

from .model import Decoder
from .thought import Thought

TYPES = {"float16": "F16", "float32": "F32", "int64": "I64"}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes tensors in the order given; `metadata` says what they are."""
    header: dict[str, dict] = {"__metadata__": metadata}
    offset = 0
    for name, values in tensors.items():
        place = [offset, offset + values.nbytes]
        header[name] = {"dtype": TYPES[values.dtype.name], "shape": list(values.shape), "data_offsets": place}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as out:
        out.write(len(text).to_bytes(8, "little"))
        out.write(text)
        for values in tensors.values():
            out.write(np.ascontiguousarray(values).tobytes())


def tensors_of(decoder: Decoder, thought: Thought, bits: int = 16) -> dict[str, np.ndarray]:
    """The decoder's weights by the names of PyTorch, those that are shared once, and the thought's behind `thought.`:
    float16 where the bundle stores that, else float32, which holds what was rounded to blocks exactly."""
    seen: set[int] = set()
    found: dict[str, np.ndarray] = {}
    for name, values in decoder.state_dict(keep_vars=True).items():
        if values.data_ptr() in seen:
            continue
        seen.add(values.data_ptr())
        numbers = values.detach().cpu()
        found[name] = (numbers.half() if bits == 16 and numbers.is_floating_point() else numbers).numpy()
    for name, values in thought.state_dict().items():
        found[f"thought.{name}"] = values.detach().to(torch.float32).cpu().numpy()
    return found
