"""Which arithmetic a device trains in."""

import torch


def narrow(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 by itself. A CPU without it gets there by conversions, at a third of
    float32's speed."""
    if device.type != "cpu":
        return True
    cpu = torch.cpu
    asked = (getattr(cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(supported() for supported in asked if supported)


def autocast(device: torch.device) -> torch.autocast:
    """Mixed precision with bfloat16 where the device has it, else float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=narrow(device))
