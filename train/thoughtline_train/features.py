"""The features of the final states for which a thought has a number a token (`Config.token_features`).

They are the principal components, each divided by its deviation: uncorrelated, so that a step along the gradient goes
as far along each of
them as a second-order one would. With all of them a thought could say whatever another output matrix could (dynamic
evaluation of that matrix alone, Krause et al. 2018); the first ones say most of it with a fraction of the numbers
(docs/experiments has the table).
"""

import torch
from torch import Tensor

from .model import Decoder


@torch.no_grad()
def measure(decoder: Decoder, hidden: Tensor) -> None:
    """Sets the decoder's features by normalised final states [N, W]."""
    mean, covariance = hidden.double().mean(0), torch.cov(hidden.double().T)
    values, vectors = torch.linalg.eigh(covariance)
    # They come in ascending order.
    largest = values.argsort(descending=True)[: decoder.config.token_features]
    features = vectors[:, largest] * values[largest].clamp(min=1e-6).rsqrt()
    decoder.features.copy_(features)
    decoder.feature_means.copy_(mean @ features)
