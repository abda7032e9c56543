"""Hashes of runs of words of a text, for near-duplicates and for the benchmark check: vectorised, a few ns a byte.

A word is a run of letters, digits, underscores and bytes above 127, without regard to case. The hash of a word is read
off a prefix sum of the bytes weighted by powers of an odd number, modulo 2^64.
"""

import numpy as np

BASE = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
# 0 for bytes outside words, else the byte in lower case.
FOLD = np.array(
    [ord(chr(b).lower()) if b < 128 and (chr(b).isalnum() or b == 95) else b * (b > 127) for b in range(256)], np.uint64
)
MAX_BYTES = 1 << 21


def powers(base: int) -> np.ndarray:
    """base^0 … base^MAX_BYTES modulo 2^64."""
    steps = np.full(MAX_BYTES + 1, base, np.uint64)
    steps[0] = 1
    return np.multiply.accumulate(steps)


POWERS = powers(BASE)
INVERSES = powers(pow(BASE, -1, 1 << 64))


def words(text: str) -> np.ndarray:
    """Hashes of the words of a text, in order."""
    codes = FOLD[np.frombuffer(text.encode()[:MAX_BYTES], np.uint8)]
    inside = np.zeros(len(codes) + 2, np.int8)
    inside[1:-1] = codes != 0
    edges = np.flatnonzero(np.diff(inside))
    starts, ends = edges[::2], edges[1::2]
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes + np.uint64(0x51)) * POWERS[: len(codes)], out=sums[1:])
    return mixed((sums[ends] - sums[starts]) * INVERSES[starts])


def mixed(values: np.ndarray) -> np.ndarray:
    """Spreads 64-bit values over all bits (the finaliser of MurmurHash3)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def shingles(hashes: np.ndarray, length: int) -> np.ndarray:
    """Hashes of all runs of `length` words; one hash of all words where there are fewer."""
    count = max(1, len(hashes) - length + 1)
    total = np.zeros(count, np.uint64)
    for i in range(min(length, len(hashes))):
        total = total * np.uint64(BASE) + hashes[i : i + count]
    return mixed(total)
