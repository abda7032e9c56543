"""Weights as other libraries read them: a header of JSON, then the tensors one after the other
(https://huggingface.co/docs/safetensors)."""

import json
from pathlib import Path

import numpy as np

from .model import Decoder

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


def tensors_of(decoder: Decoder, bits: int = 16) -> dict[str, np.ndarray]:
    """The decoder's weights, and the maps of its thought, by the names of PyTorch, those that are shared once: float16
    where the bundle stores that, else float32, which holds what was rounded to blocks exactly. What is added to
    features is float32."""
    seen: set[int] = set()
    found: dict[str, np.ndarray] = {}
    for name, values in [*decoder.named_parameters(), *decoder.named_buffers()]:
        if values.data_ptr() in seen:
            continue
        seen.add(values.data_ptr())
        numbers = values.detach().cpu()
        narrow = bits == 16 and not name.endswith("thought_means")
        found[name] = (numbers.half() if narrow else numbers).numpy()
    return found
