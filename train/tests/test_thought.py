import json

import numpy as np
import pytest
import torch
from conftest import SIZES

from thoughtline_train import data, features, think
from thoughtline_train.loop import load_decoder
from thoughtline_train.model import Config, Decoder
from thoughtline_train.thought import MAX_STEPS, Thought
from thoughtline_train.tokenizer import load

SHAPE = {"chunks": 3, "chunk": 48, "length": 96, "suffix_limit": 24}
CONFIG = Config(vocabulary=64, width=16, layers=3, trunk_layers=1, heads=2, kv_heads=1, hidden=24, thought_vectors=2)


def wake(decoder: Decoder, deviation: float = 0.3) -> Decoder:
    """Gives the thought's zero-initialised output projections some weight, as training does."""
    for layer in decoder.stack[decoder.config.trunk_layers :]:
        torch.nn.init.normal_(layer.thought_output, std=deviation)
    return decoder


@pytest.fixture
def small():
    """A random decoder that reads its thought, the thought, and evidence [4, 2 chunks, 12]."""
    torch.manual_seed(0)
    decoder, thought = wake(Decoder(CONFIG)), Thought(CONFIG)
    inner = think.Inner(decoder, compiled=False)
    x, y = torch.randint(8, 64, (2, 4, 2, 12))
    return decoder, thought, inner, inner.states(x), y


def trained(state):
    decoder, saved = load_decoder(state)
    thought = Thought(decoder.config)
    thought.load_state_dict(saved["thought"])
    return decoder, thought, think.Inner(decoder, compiled=False)


def test_a_new_decoder_ignores_its_thought():
    torch.manual_seed(0)
    decoder, thought = Decoder(CONFIG), Thought(CONFIG)
    x, y = torch.randint(8, 64, (2, 3, 10))
    assert torch.equal(decoder(x, y, None), decoder(x, y, thought.start(3)))
    assert not torch.equal(wake(decoder)(x, y, thought.start(3)), decoder(x, y, None))


def test_no_steps_give_the_prior(small):
    _, thought, inner, states, y = small
    z, gradients = think.refine(inner, thought, states, y, 0)
    assert torch.equal(z, thought.prior.expand(4, -1, -1, -1)) and gradients is None


def test_no_step_size_and_no_pull_give_no_inference(small):
    _, thought, inner, states, y = small
    with torch.no_grad():
        thought.log_size.fill_(-torch.inf)
        thought.pull_logit.fill_(-torch.inf)
    z, _ = think.refine(inner, thought, states, y, 4)
    assert torch.equal(z, thought.start(4))


def test_a_step_follows_the_written_rule(small):
    _, thought, *_ = small
    torch.manual_seed(1)
    z, gradient = torch.randn(2, 4, CONFIG.top_layers, 2, 16)
    with torch.no_grad():
        thought.log_size[3] = torch.tensor([0.2, 0.05]).log()
        thought.pull_logit[3] = torch.tensor([0.1, 0.4]).logit()
    got = thought.step(z, gradient, 3)
    for row in range(4):
        for layer, (size, pull) in enumerate([(0.2, 0.1), (0.05, 0.4)]):
            g = gradient[row, layer]
            expected = thought.prior[layer] + (1 - pull) * (z[row, layer] - thought.prior[layer])
            expected = expected - size * g / g.pow(2).mean().sqrt()
            torch.testing.assert_close(got[row, layer], expected, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_the_evidence_alone(small):
    """Per chunk, with respect to z, as autograd gives them; the decoder's own parameters get none."""
    decoder, thought, inner, states, y = small
    z = thought.start(4).detach()
    nll, gradients = inner.gradients(z, states, y)
    leaf = z[2].clone().requires_grad_()
    own = decoder.token_nll(decoder.top(states[5:6], leaf[None]), y[2, 1:2], leaf[None]).sum()
    torch.testing.assert_close(nll[2, 1], own.detach())
    torch.testing.assert_close(gradients[2, 1], torch.autograd.grad(own, leaf)[0])
    assert all(p.grad is None for p in decoder.parameters())


def test_the_mean_gradient_is_per_token():
    targets = torch.tensor([[[1, 2, -100], [3, -100, -100]]])
    gradients = torch.ones(1, 2, 1, 1, 2) * torch.tensor([2.0, 4.0]).view(1, 2, 1, 1, 1)
    assert think.mean_gradient(gradients, targets).flatten().tolist() == [2.0, 2.0]


def test_a_small_step_lowers_the_evidence_nll(small):
    _, thought, inner, states, y = small
    with torch.no_grad():
        thought.log_size.fill_(-3.0)
        thought.pull_logit.fill_(-torch.inf)
    *_, path = think.refine(inner, thought, states, y, 4, keep=True)
    nll = [inner.gradients(z, states, y)[0].sum().item() for z in path]
    assert nll == sorted(nll, reverse=True)


def test_an_edit_uses_the_warm_step(small):
    """Whatever the steps before, only row MAX_STEPS of the sizes moves z after an edit."""
    _, thought, inner, states, y = small
    with torch.no_grad():
        thought.log_size.fill_(-torch.inf)
        thought.pull_logit.fill_(-torch.inf)
        thought.log_size[MAX_STEPS] = -2.0

    class Once:
        def integers(self, low, high):
            return 1

    z = think.refine_with_edit(inner, thought, states, y, 3, Once())
    moved = (z - thought.start(4)).pow(2).mean((2, 3)).sqrt()
    torch.testing.assert_close(moved, torch.full_like(moved, -2.0).exp())
    # Of the prior's gradient with all chunks: the edited chunk anew, the others as they were.
    _, gradients = inner.gradients(thought.start(4), states, y)
    torch.testing.assert_close(z, thought.step(thought.start(4), think.mean_gradient(gradients, y), MAX_STEPS))


def test_outer_gradients_reach_prior_sizes_and_pulls(small):
    decoder, thought, inner, states, y = small
    z, _ = think.refine(inner, thought, states, y, 2)
    think.per_token(decoder.token_nll(decoder.top(states[::2], z), y[:, 0], z), y[:, 0]).backward()
    for parameter in (thought.prior, thought.log_size, thought.pull_logit):
        assert parameter.grad.abs().sum() > 0
    assert thought.log_size.grad[2:].abs().sum() == 0
    assert decoder.embedding.grad.abs().sum() > 0


def test_through_the_last_step_the_decoder_gets_second_derivatives(small):
    """z moves as it does to first order; what the weights get is the derivative of the whole step, as finite
    differences give it."""
    decoder, thought, inner, states, y = small
    weight = decoder.stack[1].thought_key

    def outer(z):
        return z[:, :, 0, 0].sum()

    plain, seen = (think.refine(inner, thought, states, y, 2, through=through)[0] for through in (False, True))
    torch.testing.assert_close(seen, plain)
    outer(seen).backward()
    direction, first = weight.grad.clone(), think.refine(inner, thought, states, y, 1)[0].detach()

    def after(shift: float) -> float:
        with torch.no_grad():
            weight.add_(direction, alpha=shift)
        moved = thought.step(first, think.mean_gradient(inner.gradients(first, states, y)[1], y), 1)
        with torch.no_grad():
            weight.sub_(direction, alpha=shift)
        return outer(moved).item()

    size = 1e-3 / direction.norm().item()
    slope = (after(size) - after(-size)) / (2 * size)
    assert slope == pytest.approx(direction.pow(2).sum().item(), rel=0.05)


def test_identifiers_count_as_they_are_told(tiny, small):
    decoder, thought, _, states, y = small
    importance = torch.ones(64)
    importance[y[2, 1, 3]] = 3.0
    weighed = think.Inner(decoder, compiled=False, importance=importance)
    leaf = thought.start(4)[2].detach().clone().requires_grad_()
    nll = decoder.token_nll(decoder.top(states[5:6], leaf[None]), y[2, 1:2], leaf[None]) * importance[y[2, 1]]
    torch.testing.assert_close(
        weighed.gradients(thought.start(4), states, y)[1][2, 1], torch.autograd.grad(nll.sum(), leaf)[0]
    )
    assert think.importance(tiny.tokenizer, 1.0, "cpu") is None
    counts = think.importance(tiny.tokenizer, 2.0, "cpu")
    vocabulary = load(tiny.tokenizer).get_vocab()
    for token, expected in {"return": 1, "Ġ": 1, "{": 1, "account": 2, "const": 1, "<|file|>": 1}.items():
        if token in vocabulary:
            assert counts[vocabulary[token]] == expected, token
    assert counts.max() == 2 and (counts == 1).sum() > 8


def test_training_learns_to_use_the_thought(tiny, thinking):
    """On files of unseen owners the steps lower the NLL of their evidence, and the dial reaches what it should."""
    decoder, thought, inner = trained(thinking)
    valid = tiny.split("validation")
    rows = think.collate(think.draw(valid, 16, SHAPE, np.random.default_rng(0)), "cpu")
    states, y = inner.states(rows["evidence_x"]), rows["evidence_y"]
    *_, path = think.refine(inner, thought, states, y, 4, keep=True)
    nll = [inner.gradients(z, states, y)[0].sum().item() / (y >= 0).sum().item() for z in path]
    assert nll[4] < nll[0] and nll[1] < nll[0], nll
    assert (path[4] - path[0]).abs().max() > 0


def test_what_the_manifest_says_of_the_thought(thinking):
    _, thought, _ = trained(thinking)
    written = json.loads(json.dumps(thought.to_json(0.1)))
    assert len(written["stepSize"]) == len(written["priorPull"]) == written["maxTrainedSteps"] == MAX_STEPS
    assert all(len(row) == 2 and min(row) > 0 for row in [*written["stepSize"], written["warmStepSize"]])
    assert all(0 < pull < 1 for row in [*written["priorPull"], written["warmPriorPull"]] for pull in row)
    assert all(p == pytest.approx(10 * q) for p, q in zip(written["priorDeviation"], written["posteriorDeviation"]))


def test_sizes_on_the_command_line(thinking):
    config = load_decoder(thinking)[0].config
    given = dict(zip(SIZES[::2], SIZES[1::2]))
    assert all(getattr(config, k[2:].replace("-", "_")) == int(v) for k, v in given.items())


def test_batches_of_episodes_have_the_evidence_they_say(tiny):
    rows = think.collate(think.draw(tiny.split("train"), 4, SHAPE, np.random.default_rng(0)), "cpu")
    assert rows["evidence_x"].shape == (4, 3, 48) and rows["window_y"].shape == (4, 96)
    assert rows["held_out_x"].shape == (4, 48)
    assert ((rows["evidence_y"] == data.IGNORE) | (rows["evidence_y"] >= 5)).all()


def test_another_shape_leaves_the_decoder_without_thoughts_as_it_is(small):
    decoder, *_, y = small
    x = y[:, 0]
    assert torch.equal(think.anew(decoder, {"thought_vectors": 3})(x, x, None), decoder(x, x, None))


TOKENS = {"token_groups": 2}


def test_a_thought_can_lean_toward_tokens(small):
    decoder, thought, inner, states, y = small
    wider = think.widened(decoder, TOKENS)
    own = Thought(wider.config)
    own.take_over(thought.state_dict())
    z = own.start(4)
    assert z.shape == (4, 4, 2, 16) and torch.equal(z[:, :2], thought.start(4)) and not z[:, 2:].any()
    x = y[:, 0].clamp(min=8)
    assert torch.equal(wider(x, y[:, 1], z), decoder(x, y[:, 1], thought.start(4)))
    # The gradient of a token's number is how often it was expected less how often it came.
    (nll, gradients), (same, layers) = (
        think.Inner(wider, False).gradients(z, states, y),
        inner.gradients(thought.start(4), states, y),
    )
    torch.testing.assert_close(nll, same)
    torch.testing.assert_close(gradients[:, :, :2], layers)
    logits = decoder.logits(decoder.top(states[5:6], thought.start(1)), None)
    expected = logits.softmax(-1).sum((0, 1)) - torch.bincount(y[2, 1], minlength=64)
    torch.testing.assert_close(gradients[2, 1, 2:].flatten(), expected)
    # And a number adds to its token's logit.
    z = z.clone()
    z[0, 2, 1, 3] = 1.5
    moved = wider.logits(wider.top(states[:1], z[:1]), z[:1]) - decoder.logits(decoder.top(states[:1], z[:1, :2]), None)
    assert torch.allclose(moved, 1.5 * torch.nn.functional.one_hot(torch.tensor(19), 64).float(), atol=1e-5)


FEATURES = TOKENS | {"token_features": 3}


def test_a_thought_from_the_beginning_says_nothing_of_tokens_unless_asked(small):
    decoder, *_, y = small
    x = y[:, 0]
    fresh = think.anew(think.widened(decoder, FEATURES), {"thought_vectors": 3})
    assert fresh.config.thought_rows == fresh.config.top_layers
    assert torch.equal(fresh(x, x, Thought(fresh.config).start(4)), decoder(x, x, None))
    asked = think.anew(think.widened(decoder, FEATURES), {"trunk_layers": 1, **FEATURES})
    assert asked.config.token_features == FEATURES["token_features"]


def test_a_thought_can_lean_toward_tokens_behind_what_a_state_is(small):
    decoder, thought, inner, states, y = small
    wider = think.widened(decoder, FEATURES)
    features.measure(wider, decoder.top(states, thought.start(len(states))).flatten(0, 1))
    own = Thought(wider.config)
    own.take_over(thought.state_dict())
    z = own.start(4)
    # Two rows of layers, two of tokens, and two for each feature; but one size of step for all features.
    assert z.shape == (4, 10, 2, 16) and own.log_size.shape[1] == 5 and not z[:, 2:].any()
    hidden = decoder.top(states[5:6], thought.start(1))
    assert torch.equal(wider.logits(hidden, z[:1]), decoder.logits(hidden, None))
    # The gradient of a number is that of the logit times the feature.
    own_gradients = think.Inner(wider, False).gradients(z, states, y)[1]
    surplus = decoder.logits(hidden, None).softmax(-1)[0] - torch.nn.functional.one_hot(y[2, 1], 64)
    values = (hidden @ wider.features - wider.feature_means)[0]
    torch.testing.assert_close(own_gradients[2, 1, 4:].flatten().view(3, 64), values.T @ surplus, atol=1e-5, rtol=1e-4)
    # And a number adds to its token's logit as often as the state has the feature.
    z = z.clone()
    z[0, 6, 1, 3] = 1.5
    moved = wider.logits(hidden, z[:1]) - decoder.logits(hidden, None)
    assert torch.allclose(moved[0, :, 19], 1.5 * values[:, 1], atol=1e-5) and not moved[..., :19].any()


def test_features_are_uncorrelated_and_of_one_size(small):
    wider = think.widened(small[0], FEATURES)
    torch.manual_seed(2)
    hidden = torch.randn(4000, 16) @ torch.randn(16, 16) + torch.randn(16)
    features.measure(wider, hidden)
    values = hidden @ wider.features - wider.feature_means
    torch.testing.assert_close(torch.cov(values.T), torch.eye(3), atol=1e-3, rtol=0)
    assert values.mean(0).abs().max() < 1e-3
    # They are the directions in which most happens.
    assert torch.linalg.eigvalsh(torch.cov(hidden.T))[-3:].flip(0).sqrt() == pytest.approx(
        (1 / wider.features.norm(dim=0)).tolist(), rel=1e-3
    )


def test_all_features_make_one_step_together(small):
    decoder = small[0]
    own = Thought(think.widened(decoder, FEATURES).config)
    gradient = torch.randn(2, 10, 2, 16)
    moved = own.start(2) - own.step(own.start(2), gradient, 0)
    rows = moved[:, 4:].pow(2).mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(rows, torch.full((2,), own.log_size[0, 4].exp().item()))
    ratio = moved[:, 4:] / gradient[:, 4:]
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio))


def test_features_need_numbers_of_tokens(small):
    with pytest.raises(SystemExit, match="token_features 3: they need token_groups, too: 2"):
        think.widened(small[0], {"token_features": 3})


def test_the_prior_says_nothing_of_tokens_and_their_steps_are_learned(small):
    decoder, _, _, states, y = small
    wider = think.widened(decoder, TOKENS)
    own = Thought(wider.config)
    z, _ = think.refine(think.Inner(wider, False), own, states, y, 2)
    wider(y[:, 0].clamp(min=8), y[:, 1], z).sum().backward()
    assert own.prior.grad[:2].abs().sum() > 0 and not own.prior.grad[2:].any()
    assert own.log_size.grad[:2, 2:].abs().sum() > 0 and own.pull_logit.grad[1, 2:].abs().sum() > 0


def test_the_vocabulary_decides_how_many_groups(small):
    with pytest.raises(SystemExit, match="token_groups 3: a vocabulary of 64 takes 2"):
        think.widened(small[0], {"token_groups": 3})


def test_steps_alone_can_be_learned(tiny, thinking):
    run = tiny.root / "steps-only"
    before = torch.load(thinking, weights_only=True)
    groups = Config(**before["config"]).groups_of_vocabulary
    shape = [
        "--batch",
        2,
        "--chunks",
        2,
        "--chunk",
        32,
        "--length",
        64,
        "--suffix",
        16,
        "--windows",
        2,
        "--deep",
        8,
        "--held",
        0,
    ]
    tiny.run(
        "think",
        "--run",
        run,
        "--start-from",
        thinking,
        "--minutes",
        0.0001,
        "--token-groups",
        groups,
        "--token-features",
        4,
        "--steps-only",
        1,
        *shape,
    )
    after = torch.load(run / "state.pt", weights_only=True)
    assert after["decoder"]["features"].shape[1] == 4 and after["decoder"]["feature_means"].any()
    assert all(torch.equal(after["decoder"][name], value) for name, value in before["decoder"].items())
    layers = len(before["thought"]["prior"])
    assert (
        torch.equal(after["thought"]["prior"][:layers], before["thought"]["prior"])
        and not after["thought"]["prior"][layers:].any()
    )
    assert not torch.equal(after["thought"]["log_size"][:, :layers], before["thought"]["log_size"])
