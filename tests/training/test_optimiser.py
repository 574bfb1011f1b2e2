"""What is trained, decayed, frozen, clipped and averaged; the rate; the recipe keys that say so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.made import made_corpus
from tests.training.test_gradcache import RECIPE, made, small
from workbench.core.errors import DataError, UnknownNameError
from workbench.models import Gallery, Words
from workbench.models.checkpoints import restore, save_checkpoint
from workbench.training.batches import Batches
from workbench.training.optimiser import averaged, exchange, optimiser_of, rate
from workbench.training.recipes import load_recipe
from workbench.training.step import backward, make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def copied(network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_only_matrices_decay_when_asked():
    network = small("fusion").network
    names = {id(one): name for name, one in network.named_parameters()}
    groups = optimiser_of(network, replace(RECIPE, decay="matrices")).param_groups
    decayed = {names[id(one)]: group["weight_decay"] for group in groups for one in group["params"]}
    assert decayed.keys() == set(names.values())
    assert {decayed[name] for name in ("scale", "place.bias", "frames.layers.1.weight")} == {0.0}
    assert {decayed[name] for name in ("words.grams.weight", "place.weight")} == {RECIPE.weight_decay}
    assert [group["weight_decay"] for group in optimiser_of(network, RECIPE).param_groups] == [RECIPE.weight_decay]


def test_the_rate_warms_up_and_ends_at_zero():
    recipe = replace(RECIPE, steps=20, warmup=5, learning_rate=1.0)
    found = [rate(recipe, step) for step in range(21)]
    assert found[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0]) and found[20] == pytest.approx(0)
    assert found[10] == pytest.approx((1 + math.cos(math.pi / 3)) / 2) and found[5:] == sorted(found[5:], reverse=True)


def test_frozen_weights_stay_and_a_wrong_name_is_refused_with_the_nearest():
    model = small("fusion")
    before, recipe = copied(model.network), replace(RECIPE, freeze=("place.weight", "shape.weight"))
    make_step(model, made(), optimiser_of(model.network, recipe), recipe)
    after = model.network.state_dict()
    assert {name for name in before if torch.equal(before[name], after[name])} == {"place.weight", "shape.weight"}
    with pytest.raises(DataError, match="'place.wieght'.*Did you mean place.weight"):
        optimiser_of(model.network, replace(RECIPE, freeze=("place.wieght",)))
    everything = tuple(name for name, _ in model.network.named_parameters())
    with pytest.raises(DataError, match="every weight is frozen"):
        optimiser_of(model.network, replace(RECIPE, freeze=everything))


def test_a_fixed_temperature_stays():
    model, recipe = small("ocr"), replace(RECIPE, temperature=0.05)
    make_step(model, made(), optimiser_of(model.network, recipe), recipe)
    assert float(model.network.scale.exp()) == pytest.approx(20)
    with pytest.raises(DataError, match="no temperature to fix"):
        optimiser_of(torch.nn.Linear(2, 2), recipe)


def test_a_learned_temperature_does_not_fall_below_its_least():
    found = []
    for least in (None, 0.1):
        model = small("ocr")
        with torch.no_grad():
            model.network.scale.fill_(math.log(12))
        recipe = replace(RECIPE, least_temperature=least)
        make_step(model, made(), optimiser_of(model.network, recipe), recipe)
        found.append(float(model.network.scale.detach().exp()))
    free, limited = found
    assert free > 11.9 and limited == pytest.approx(10, rel=1e-6)
    with pytest.raises(DataError, match="no temperature to limit"):
        optimiser_of(torch.nn.Linear(2, 2), replace(RECIPE, least_temperature=0.1))


def test_gradients_are_cut_to_their_longest():
    model, recipe = small("fusion"), replace(RECIPE, clip=1e-3)
    make_step(model, made(), optimiser_of(model.network, recipe), recipe)
    clipped = [one.grad.clone() for one in model.network.parameters()]
    assert math.sqrt(sum(float(one.square().sum()) for one in clipped)) == pytest.approx(1e-3, rel=1e-2)
    other = small("fusion")
    backward(other, made(), RECIPE)
    free = [one.grad for one in other.network.parameters()]
    assert math.sqrt(sum(float(one.square().sum()) for one in free)) > 1e-2


def test_the_average_follows_its_formula_is_kept_and_resumed(tmp_path):
    model, recipe = small("fusion"), replace(RECIPE, ema=0.7)
    optimiser = optimiser_of(model.network, recipe)
    expected: dict[str, torch.Tensor] = {}
    for number in range(3):
        make_step(model, made(number=number), optimiser, recipe)
        now = copied(model.network)
        expected = {name: 0.7 * expected[name] + 0.3 * now[name] for name in now} if expected else now
    with averaged(optimiser):
        for name, value in model.network.state_dict().items():
            torch.testing.assert_close(value, expected[name])
        save_checkpoint(tmp_path, 3, model, optimiser, {}, best=True)
        kept = copied(model.network)
    assert all(torch.equal(value, now[name]) for name, value in model.network.state_dict().items())
    again = small("fusion")
    resumed = optimiser_of(again.network, recipe)
    again.network.load_state_dict(kept)
    restore(tmp_path, resumed)
    exchange(resumed)
    for one, its in ((model, optimiser), (again, resumed)):
        make_step(one, made(number=9), its, recipe)
        exchange(its)
    assert all(
        torch.equal(a, b) for a, b in zip(copied(model.network).values(), copied(again.network).values(), strict=True)
    )


def test_videos_of_one_source_are_no_negatives_when_asked():
    corpus = made_corpus(40, name="made-sources")
    ids = tuple(corpus.videos["video_id"])
    source = dict(zip(ids, corpus.videos["source_id"], strict=True))
    gallery = Gallery(ids, None, tuple(Words() for _ in ids))
    batch = Batches(corpus, gallery, 40, 0, ("sources",)).at(0)
    order = batch.gallery.video_ids
    assert batch.same.tolist() == [[a != b and source[a] == source[b] for b in order] for a in order]
    both = Batches(corpus, gallery, 40, 0, ("duplicates", "sources")).at(0).same
    plain = Batches(corpus, gallery, 40, 0).at(0).same
    assert (both == (plain | batch.same)).all() and batch.same.any()
    assert not Batches(corpus, gallery, 40, 0, ()).at(0).same.any()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"loss": "infonec"}, "No loss is called 'infonec'"),
        ({"temperature": "leaned"}, "'leaned'"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"least_temperature": -1.0}, "least_temperature is -1.0"),
        ({"mask": ["source"]}, "Did you mean sources"),
        ({"mask": {"sources": 1}}, "It must be a list of names"),
        ({"mask": [3]}, "list of names"),
        ({"micro_batch": 0}, "micro_batch is 0"),
        ({"micro_batch": 1.5}, "int or null"),
        ({"clip": -1}, "clip is -1"),
        ({"ema": 1.0}, "between 0 and 1"),
        ({"decay": "some"}, "'some'"),
        ({"negatives": "hard"}, "'hard'"),
    ],
)
def test_wrong_values_are_named(overrides, said):
    with pytest.raises((DataError, UnknownNameError), match=said):
        load_recipe("textvr_fusion_demo", overrides)


def test_right_values_are_read():
    given = {"mask": ["duplicates", "sources"], "micro_batch": None, "temperature": 0.07, "clip": 1}
    recipe = load_recipe("textvr_fusion_demo", given)
    assert recipe.mask == ("duplicates", "sources") and recipe.temperature == 0.07 and recipe.micro_batch is None
