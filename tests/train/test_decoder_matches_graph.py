"""The torch decoder computes what the ONNX graph computes, and documents do not see each other."""

import numpy as np
import onnxruntime as ort
import pytest
import torch

from harken.decide.torch_attention import attend
from harken.decide.torch_decoder import LoraLinear, TorchDecoder
from harken.errors import HarkenError
from harken.train.model import BaseParts


def decoder_of(parts: BaseParts, dtype: torch.dtype = torch.float32) -> TorchDecoder:
    """The tiny decoder with a LoRA that does something."""
    torch.manual_seed(1)
    decoder = TorchDecoder(parts.folder, parts.decoder, dtype)
    with torch.no_grad():
        for name, p in decoder.named_parameters():
            if name.endswith("lora_b"):
                p.normal_(0, 0.05)
    return decoder


def run_graph(parts: BaseParts, decoder: TorchDecoder, embeds: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    given = {n: p.detach().numpy() for n, p in decoder.named_parameters()}
    values = [ort.OrtValue.ortvalue_from_numpy(v) for v in given.values()]
    options.add_external_initializers(list(given), values)
    path = str(parts.folder / "decoder.onnx")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    n, shape = len(embeds), decoder.shape
    feeds = {
        "embeds": embeds[None],
        "last": np.array([n - 1], np.int32),
        "total": np.array(n, np.int32),
    }
    blank = np.zeros((1, shape.kv_heads, n, shape.head_size), np.float32)
    feeds |= {i.name: blank for i in session.get_inputs() if i.name.startswith("past.")}
    hidden: np.ndarray = session.run(["hidden"], feeds)[0][0]
    return hidden


def test_one_document_gives_the_states_of_the_graph(tiny_parts: BaseParts) -> None:
    decoder = decoder_of(tiny_parts)
    embeds = np.random.default_rng(0).normal(0, 1, (40, 32)).astype(np.float32)
    states = decoder(torch.from_numpy(embeds), [40]).detach().numpy()
    expected = run_graph(tiny_parts, decoder, embeds)
    # The graph rounds activations to 8 bits inside each product.
    assert np.corrcoef(states.ravel(), expected.ravel())[0, 1] > 0.999
    assert np.abs(states - expected).max() < 0.15


def test_a_document_is_untouched_by_its_neighbours(tiny_parts: BaseParts) -> None:
    decoder = decoder_of(tiny_parts)
    embeds = torch.randn(90, 32)
    together = decoder(embeds, [30, 45, 15])
    alone = torch.cat([decoder(e, [len(e)]) for e in embeds.split([30, 45, 15])])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_steps_with_a_cache_equal_one_pass_and_truncation_forgets(tiny_parts: BaseParts) -> None:
    decoder = decoder_of(tiny_parts)
    embeds = torch.randn(50, 32)
    whole = decoder(embeds, [50])
    cache = decoder.new_cache(64)
    decoder.step(embeds[:20], cache, 0)
    decoder.step(torch.randn(10, 32), cache, 20)  # heard and taken back
    steps = [decoder.step(embeds[20:21], cache, 20), decoder.step(embeds[21:], cache, 21)]
    torch.testing.assert_close(torch.cat(steps), whole[20:], atol=1e-5, rtol=1e-5)


def test_attention_is_that_of_torch_beyond_one_block_of_queries() -> None:
    q, k, v = torch.randn(300, 4, 8), torch.randn(300, 2, 8), torch.randn(300, 2, 8)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *(t.transpose(0, 1)[None] for t in (q, k, v)), is_causal=True, enable_gqa=True
    )
    torch.testing.assert_close(
        attend(q, k, v), expected[0].transpose(0, 1).reshape(300, 32), atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(attend(q[-7:], k, v), attend(q, k, v)[-7:], atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_plain_autograd(tiny_parts: BaseParts) -> None:
    linear = LoraLinear(torch.randn(6, 5), torch.randn(6), 3)
    torch.nn.init.normal_(linear.lora_b)
    x = torch.randn(4, 5, requires_grad=True)
    wanted = torch.randn(4, 6)
    inputs = [x, linear.lora_a, linear.lora_b]
    mine = torch.autograd.grad((linear(x) * wanted).sum(), inputs)
    plain = x @ linear.weight.t() + linear.bias + (x @ linear.lora_a) @ linear.lora_b
    theirs = torch.autograd.grad((plain * wanted).sum(), inputs)
    torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)

    decoder = decoder_of(tiny_parts)
    embeds = torch.randn(12, 32, requires_grad=True)
    direction = torch.randn(12, 32)
    decoder(embeds, [12]).square().sum().backward()
    assert embeds.grad is not None
    h = 1e-2
    with torch.no_grad():
        up, down = (decoder(embeds + s * h * direction, [12]).square().sum() for s in (1, -1))
    measured = float((up - down) / (2 * h))
    assert measured == pytest.approx(float((embeds.grad * direction).sum()), rel=0.05, abs=0.05)


def test_only_the_difference_is_trained(tiny_parts: BaseParts) -> None:
    decoder = decoder_of(tiny_parts)
    assert {n for n, _ in decoder.named_parameters()} == set(tiny_parts.decoder.from_checkpoint)
    for name, p in decoder.named_parameters():
        assert tuple(p.shape) == tiny_parts.decoder.from_checkpoint[name]


def test_wrong_lengths_and_cut_weights_are_refused(tiny_parts: BaseParts, tmp_path) -> None:
    with pytest.raises(HarkenError, match="11 positions do not fill 12"):
        decoder_of(tiny_parts)(torch.zeros(12, 32), [11])
    with pytest.raises(HarkenError, match="missing or cut short"):
        TorchDecoder(tmp_path, tiny_parts.decoder)
