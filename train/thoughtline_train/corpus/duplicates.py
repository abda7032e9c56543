"""Duplicates: the same text but for white space, and near-duplicates by MinHash over runs of five words."""

import hashlib
import re

import numpy as np
from datasketch import LeanMinHash, MinHashLSH

from .shingles import mixed, shingles, words

PERMUTATIONS = 64
THRESHOLD = 0.85
RUN = 5
# Files of fewer different runs are compared by their fingerprint alone: a few words in common would make them alike.
MIN_RUNS = 16


def fingerprint(text: str) -> bytes:
    return hashlib.blake2b(re.sub(r"\s+", "", text).encode(), digest_size=16).digest()


class Seen:
    """The texts taken so far. What comes first stays: test owners are read first, so nothing like theirs is trained
    on."""

    def __init__(self) -> None:
        self.fingerprints: set[bytes] = set()
        self.index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self.signatures: list[np.ndarray] = []
        self.seeds = mixed(np.arange(1, PERMUTATIONS + 1, dtype=np.uint64))[:, None]

    def duplicate(self, text: str) -> str | None:
        """What kind of duplicate of an earlier text this is; None, and the text is remembered, if it is none."""
        mark = fingerprint(text)
        if mark in self.fingerprints:
            return "duplicate"
        self.fingerprints.add(mark)
        runs = np.unique(shingles(words(text), RUN))
        if len(runs) < MIN_RUNS:
            return None
        signature = self.signature(runs)
        entry = LeanMinHash(seed=1, hashvalues=signature, scheme="legacy")
        alike = (np.mean(self.signatures[i] == signature) for i in self.index.query(entry))
        if any(share >= THRESHOLD for share in alike):
            return "near-duplicate"
        self.index.insert(len(self.signatures), entry, check_duplication=False)
        self.signatures.append(signature)
        return None

    def signature(self, runs: np.ndarray) -> np.ndarray:
        """Smallest value of each of 64 hash functions over a text's runs, 32 bits of each."""
        smallest = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, np.uint64)
        for part in np.array_split(runs, len(runs) // 4096 + 1):
            hashed = (part[None, :] ^ self.seeds) * np.uint64(0x9E3779B97F4A7C15)
            smallest = np.minimum(smallest, (hashed ^ (hashed >> np.uint64(29))).min(axis=1))
        return smallest >> np.uint64(32)
