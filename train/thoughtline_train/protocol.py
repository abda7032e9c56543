"""What `think` can be told about episodes and how it learns from them: everything that an ablation may vary."""

import argparse
from dataclasses import dataclass, field, fields

# What T is drawn from, and how often: few steps are cheap, many must stay good.
STEP_SHARE = {1: 0.25, 2: 0.25, 3: 0.2, 4: 0.15, 6: 0.08, 8: 0.07}

# Fields of `Config` that say how a thought is read.
SHAPE = ("trunk_layers", "thought_vectors", "token_groups", "token_features")


def option(default, text: str):
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Protocol:
    batch: int = option(12, "episodes of a step")
    chunks: int = option(6, "evidence chunks of an episode")
    chunk: int = option(128, "tokens of an evidence chunk")
    windows: int = option(1, "windows that one thought serves; further ones lie in other files")
    length: int = option(512, "tokens of a window")
    suffix: int = option(128, "tokens of a window behind the cursor at most")
    fim: float = option(0.6, "share of windows with a suffix")
    siblings: float = option(0.2, "share of episodes whose evidence is other files alone")
    fewest_steps: int = option(1, "inner steps of an episode at least")
    most_steps: int = option(8, "inner steps of an episode at most")
    through: int = option(0, "1: the outer loss reaches the decoder's weights through the last inner gradient, too")
    identifiers: float = option(1.0, "what a token of an identifier counts in the evidence, others 1")
    warm: float = option(0.3, "share of episodes with an edit and warm steps")
    deep: int = option(0, "tokens of a window that are not scored, counted from its beginning")
    held: float = option(0.4, "weight of the held-out chunk's loss beside the windows'")
    steps_only: int = option(0, "1: only the steps learn, their sizes and pulls; decoder and z_0 stay as they are")
    noise: float = option(0.1, "posterior deviation, as a share of the prior's")
    muon: float = option(0.003, "learning rate of the layers' matrices")
    adam: float = option(0.001, "learning rate of everything else")
    sizes: float = option(0.01, "learning rate of the steps' sizes, as logarithms; twice as much for the pulls")
    decay: float = option(0.4, "share of the run over which the rates fall")

    @property
    def window(self) -> dict:
        """The arguments of `data.episode` for an episode with one window."""
        return {
            "chunks": self.chunks,
            "chunk": self.chunk,
            "length": self.length,
            "suffix_limit": self.suffix,
            "fim": self.fim,
            "siblings": self.siblings,
        }

    @property
    def step_share(self) -> dict[int, float]:
        """How often T is each number of steps."""
        kept = {t: share for t, share in STEP_SHARE.items() if self.fewest_steps <= t <= self.most_steps}
        if not kept:
            raise SystemExit(
                f"--fewest-steps {self.fewest_steps} --most-steps {self.most_steps}: "
                f"give a range that holds one of {list(STEP_SHARE)}"
            )
        return {t: share / sum(kept.values()) for t, share in kept.items()}

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        for f in fields(Protocol):
            parser.add_argument(
                f"--{f.name.replace('_', '-')}", type=type(f.default), default=f.default, help=f.metadata["help"]
            )

    @staticmethod
    def of(options: argparse.Namespace) -> "Protocol":
        return Protocol(**{f.name: getattr(options, f.name) for f in fields(Protocol)})
