"""What the demo promises before a pixel is drawn: repeatable, split by source, reading and looking both needed."""

from __future__ import annotations

import pytest

from workbench.core.errors import DataError
from workbench.pipelines.demo.clip import COLOURS, STAGE
from workbench.pipelines.demo.plan import plan

SHOTS = plan(0)


def by_split(value):
    return {split: {value(shot) for shot in SHOTS if shot.split == split} for split in ("train", "val", "test")}


def disjoint(groups) -> bool:
    return sum(map(len, groups.values())) == len(set().union(*groups.values()))


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    assert plan(0) == SHOTS
    other = plan(1)
    assert len(other) == len(SHOTS) == 192 and other != SHOTS


def test_a_negative_seed_is_refused():
    with pytest.raises(DataError, match="-1 is no seed"):
        plan(-1)


def test_sources_scenes_and_texts_of_the_splits_are_disjoint():
    assert disjoint(by_split(lambda shot: shot.source_id))
    assert disjoint(by_split(lambda shot: (shot.clip.domain, shot.clip.actor, shot.clip.colour, shot.clip.setting)))
    assert disjoint(by_split(lambda shot: shot.clip.signs[0].text.split()[0]))


def test_every_actor_colour_and_setting_of_the_test_split_is_seen_in_training():
    seen = [shot.clip for shot in SHOTS if shot.split == "train"]
    for domain, (actors, settings) in STAGE.items():
        own = [clip for clip in seen if clip.domain == domain]
        assert {clip.actor for clip in own} == set(actors) and {clip.setting for clip in own} == set(settings)
    assert {clip.colour for clip in seen} == set(COLOURS)


@pytest.mark.parametrize("domain", STAGE)
def test_scenes_and_texts_both_repeat_so_that_neither_alone_is_enough(domain):
    test = [shot.clip for shot in SHOTS if shot.clip.domain == domain and shot.split == "test"]
    scenes = [(clip.actor, clip.colour, clip.setting) for clip in test]
    texts = [clip.signs[0].text for clip in test]
    assert len(set(scenes)) < len(scenes) and len(set(texts)) < len(texts)
    assert len(set(zip(scenes, texts, strict=True))) == len(test)


def test_captions_say_what_their_type_needs():
    for shot in SHOTS:
        word = shot.clip.signs[0].text.split()[0]
        for caption in shot.captions:
            assert (word in caption.text) == (caption.query_type != "visual")
            assert (shot.clip.colour in caption.text) == (caption.query_type != "text")
        assert [caption.query_type for caption in shot.captions].count("both") == 3


def test_some_captions_are_duplicates_of_another_videos():
    texts = [caption.text for shot in SHOTS for caption in shot.captions]
    assert len(set(texts)) < len(texts)


def test_troubles_are_planted_in_the_test_split_only():
    planted = [shot.trouble for shot in SHOTS if shot.trouble]
    assert sorted(set(planted)) == ["blurred", "broken", "script", "small"]
    assert all(shot.split == "test" for shot in SHOTS if shot.trouble)
