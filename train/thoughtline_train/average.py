"""The mean of runs that went on from one start, weight by weight.

Runs that share their beginning, and a low rate after it, end in one basin: their mean is better than each of them
(stochastic weight averaging,
Izmailov et al. 2018; model soups, Wortsman et al. 2022), so that several machines can train at once without speaking to
each other.
"""

from pathlib import Path

import torch


def average(states: list[Path], folder: Path, steps: bool = False) -> None:
    """Writes `folder/state.pt`: decoder and prior are means; the sizes of the thought's steps, which mean nothing in a
    run that takes none, and
    all that says where a run came from, are the first one's; with `steps`, all of them are runs of `think`, and the
    logarithms of the sizes, the pulls
    and the deviations are means, too. There is no optimiser in it: it is a start, or an end."""
    first, *others = (torch.load(path, map_location="cpu", weights_only=True) for path in states)
    for path, other in zip(states[1:], others):
        if other["config"] != first["config"]:
            raise SystemExit(
                f"{path}: another shape of decoder than {states[0]}; give runs that went on from one start"
            )
    every = [first, *others]
    first["decoder"] = {name: mean([state["decoder"][name] for state in every]) for name in first["decoder"]}
    priors = [state["thought"]["prior"] for state in every if "thought" in state]
    if "thought" in first:
        first["thought"]["prior"] = mean(priors)
        if steps:
            for name in ("log_size", "pull_logit", "deviation"):
                first["thought"][name] = mean([state["thought"][name] for state in every])
    first.pop("optimiser", None)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(first, folder / "state.pt")


def mean(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack([tensor.float() for tensor in tensors]).mean(0)
