"""The space-time transformer: its equations in slow loops, the image ViT it starts as, gradients, sizes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.models import slow_space_time as slow
from tests.models.small_towers import SMALL, frames, image_vit, made
from workbench.core.errors import DataError, UnknownNameError
from workbench.models.towers.space_time import SIZES, build_tower, load_weights

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_tower_is_its_equations(count):
    tower, videos = made(), frames(count=count)
    state = tower.state_dict()
    with torch.no_grad():
        fast, vectors = tower.tokens(videos), tower(videos)
        for row in range(2):
            one_by_one = slow.all_tokens(state, videos[row], patch=4, heads=2, depth=2)
            expected = torch.stack([slow.norm(state, "norm", one) for one in one_by_one])
            torch.testing.assert_close(fast[row], expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(vectors, fast[:, 0])


def test_a_video_has_the_same_vector_in_any_company_and_order():
    tower, videos = made(), frames(videos=5)
    with torch.no_grad():
        whole = tower(videos)
        alone = torch.cat([tower(one[None]) for one in videos])
        torch.testing.assert_close(alone, whole, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(tower(videos.flip(0)).flip(0), whole, rtol=1e-10, atol=1e-12)
        tower.temporal_embed.data.zero_()
        unordered = tower(videos)
        torch.testing.assert_close(tower(videos.flip(1)), unordered, rtol=1e-10, atol=1e-12)
    assert (whole - unordered).abs().max() > 1e-3, "the temporal table must tell frames apart"


def tower_like(vit, time_init: str = "zeros", **options):
    tower = build_tower("tiny", norm_eps=vit.config.layer_norm_eps, time_init=time_init, **options).double().eval()
    return tower, load_weights(tower, vit.state_dict())


@pytest.mark.parametrize("time_init", ["zeros", "zero_output"])
def test_one_frame_at_the_start_is_the_image_vit(time_init):
    vit = image_vit()
    tower, report = tower_like(vit, time_init)
    assert report.layout == "hugging_face" and report.left_out == ("pooler.dense.weight", "pooler.dense.bias")
    assert report.missing and all("time" in name or "norm3" in name or "temporal" in name for name in report.missing)
    videos = frames(videos=3, count=1, side=32)
    with torch.no_grad():
        expected = vit(pixel_values=videos[:, 0]).last_hidden_state
        torch.testing.assert_close(tower.tokens(videos), expected, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(tower(videos), expected[:, 0], rtol=1e-9, atol=1e-9)


def test_several_frames_at_the_start_are_image_attention_with_one_cls():
    """After one block the patches are those of the image ViT on each frame; CLS is its attention over all frames."""
    vit = image_vit()
    tower, _ = tower_like(vit)
    videos = frames(videos=2, count=4, side=32)
    with torch.no_grad():
        found = tower.blocks[0](tower.embed(videos), 4)
        layers = vit(pixel_values=videos.flatten(0, 1), output_hidden_states=True).hidden_states[1]
        patches = layers[:, 1:].unflatten(0, (2, 4)).flatten(1, 2)
        torch.testing.assert_close(found[:, 1:], patches, rtol=1e-9, atol=1e-9)
        joined = vit.layers[0](tower.embed(videos))  # the image block on the tokens of all frames: CLS sees them all
        joined = joined if isinstance(joined, torch.Tensor) else joined[0]
        torch.testing.assert_close(found[:, 0], joined[:, 0], rtol=1e-9, atol=1e-9)
    assert (found[:, 1:] - joined[:, 1:]).abs().max() > 1e-3


def test_attention_over_time_is_zero_at_the_start_and_moves():
    for time_init in ("zeros", "zero_output"):
        tower, videos = made(time_init=time_init), frames()
        tokens = tower.embed(videos)
        assert not tower.blocks[0].timeattn(tokens, 3, "time").any()
        tower(videos).square().sum().backward()
        attention = tower.blocks[0].timeattn
        moved = attention.qkv.weight.grad[16:] if time_init == "zeros" else attention.proj.weight.grad
        assert moved.abs().max() > 0


@pytest.mark.parametrize("time_init,learns_where", [("zeros", False), ("zero_output", True)])
def test_where_to_look_in_time_is_learned_from_zero_output_only(time_init, learns_where):
    """From the published start queries and keys never leave zero; see ``TIME_INITS``."""
    tower, videos = made(time_init=time_init), frames(videos=4)
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    optimiser = torch.optim.AdamW(tower.parameters(), lr=1e-2, weight_decay=0)
    for _ in range(4):
        optimiser.zero_grad()
        (tower(videos) - torch.linspace(-1, 1, 8)).square().mean().backward()
        optimiser.step()
    name = "blocks.0.timeattn.qkv.weight"
    change = (tower.state_dict()[name] - before[name]).abs()
    assert (change[:16].max() > 0) == learns_where
    assert change[16:].max() > 0


# Gradients.


def test_gradients_agree_with_differences():
    tower = made(image_size=4, patch_size=2, width=4, depth=1, n_frames=2, mlp_ratio=1.0)
    names = ["blocks.0.timeattn.qkv.weight", "blocks.0.attn.proj.weight", "temporal_embed", "pos_embed", "cls_token"]
    values = dict(tower.named_parameters())

    def vector(videos, *chosen):
        return torch.func.functional_call(tower, dict(zip(names, chosen, strict=True)), (videos,))

    inputs = [frames(1, 2, 4).requires_grad_(), *(values[name].detach().clone().requires_grad_() for name in names)]
    assert torch.autograd.gradcheck(vector, inputs)


def test_checkpointing_runs_blocks_again_and_changes_no_gradient():
    plain, videos = made(), frames()
    spared = made(checkpointing=True)
    for tower, runs in ((plain, 1), (spared, 2)):
        counted = []
        tower.blocks[0].register_forward_pre_hook(lambda *_, counted=counted: counted.append(1))
        tower(videos).square().sum().backward()
        assert len(counted) == runs
    for (name, one), other in zip(plain.named_parameters(), spared.parameters(), strict=True):
        assert one.grad is not None, name
        assert torch.equal(one.grad, other.grad), name


def test_it_compiles_as_one_graph():
    tower, videos = made(), frames()
    compiled = torch.compile(tower, fullgraph=True, backend="eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(videos), tower(videos))


# Sizes.


@pytest.mark.parametrize("n_frames,expected", [(4, 114_168_576), (1, 114_166_272), (8, 114_171_648)])
def test_the_published_tower_has_its_number_of_parameters(n_frames, expected):
    """114.17 M: 590,592 of the patches, 768 + 197 * 768 + T * 768 of the tokens, 12 * 9,451,776, and 1,536."""
    with torch.device("meta"):
        tower = build_tower("vit_b16", n_frames=n_frames)
    count = sum(value.numel() for value in tower.parameters())
    assert count == expected and round(count / 1e6, 2) == 114.17
    assert sum(value.numel() for value in tower.blocks[0].parameters()) == 9_451_776


def test_every_size_can_be_built():
    for size in SIZES:
        with torch.device("meta"):
            tower = build_tower(size, n_frames=2)
            assert tower(torch.zeros(1, 2, 3, tower.image_size, tower.image_size)).shape == (1, tower.width)


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="'vit_b61'.*vit_b16"):
        build_tower("vit_b61")
    for options, sentence in (
        ({"patch_size": 3}, "do not fill"),
        ({"heads": 3}, "do not divide"),
        ({"n_frames": 0}, "whole numbers from 1"),
    ):
        with pytest.raises(DataError, match=sentence):
            build_tower(**{**SMALL, **options})
    with pytest.raises(UnknownNameError, match="'zeroes'.*zeros"):
        build_tower("tiny", time_init="zeroes")
    tower = made()
    for wrong in (frames(count=4), frames(side=12), frames()[:, :0], frames()[0]):
        with pytest.raises(DataError, match="The tower reads"):
            tower(wrong)


def test_importing_the_tower_loads_no_torch():
    code = "import sys, workbench.models.towers.space_time; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False"
