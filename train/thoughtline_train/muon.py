"""Muon (Jordan et al. 2024) that orthogonalises matrices of one shape together."""

import math

import torch
from torch import Tensor

from .precision import narrow


class Muon(torch.optim.Muon):
    """The steps of `torch.optim.Muon` with `match_rms_adamw`, and its state; but all matrices of one shape go through
    the
    Newton–Schulz iteration as one batch. On a GPU a model of small matrices otherwise waits for some thousand tiny
    kernels a step."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    alike.setdefault(p.shape, []).append(p)
            for shape, matrices in alike.items():
                self.move(matrices, shape, group)

    def move(self, matrices: list[Tensor], shape: torch.Size, group: dict) -> None:
        """One step of matrices of one shape."""
        gradients = [p.grad for p in matrices]
        momenta = [self.momentum(p) for p in matrices]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"]) if group["nesterov"] else momenta
        update = orthogonal(torch.stack(list(ahead)), group["ns_coefficients"], group["ns_steps"], group["eps"])
        torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
        size = group["lr"] * 0.2 * math.sqrt(max(shape))
        torch._foreach_add_(matrices, list(update.to(matrices[0].dtype).unbind()), alpha=-size)

    def momentum(self, p: Tensor) -> Tensor:
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p)
        return state["momentum_buffer"]


def orthogonal(matrices: Tensor, coefficients: tuple[float, float, float], steps: int, epsilon: float) -> Tensor:
    """Nearly orthogonal matrices [n, rows, columns] with the singular vectors of the given ones: a quintic
    Newton–Schulz iteration, in bfloat16 where the device has it."""
    a, b, c = coefficients
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(torch.bfloat16 if narrow(matrices.device) else torch.float32)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=epsilon)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
