from __future__ import annotations

import re

import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.files import sha256_file
from workbench.corpus.formats import FORMATS
from workbench.corpus.manifest import entry, entry_of_corpus, load_manifest

ENTRIES = load_manifest().entries
FIELD = "textvr msrvtt msvd lsmdc didemo activitynet vatex msrvtt-cn multi30k coco tvr demo".split()
AT_HAND = {  # files whose sums can be taken where the real data lies
    ("textvr", "TextVR_test.json"): "annotations/textvr/TextVR_test.json",
    ("textvr", "TextVR_test_rand.json"): "annotations/textvr/TextVR_test_rand.json",
    ("msrvtt", "MSRVTT_JSFUSION_test.csv"): "annotations/msrvtt/MSRVTT_JSFUSION_test.csv",
    ("msrvtt", "MSRVTT_train.9k.csv"): "annotations/msrvtt/MSRVTT_train.9k.csv",
    ("msvd", "test_list.txt"): "annotations/ce_msvd_test_list.txt",
    ("didemo", "test_data.json"): "annotations/didemo_test_data.json",
    ("vatex", "descs_ret_test.json"): "annotations/gram_vatex_descs_ret_test.json",
    ("tvr", "tvr_val_release.jsonl"): "annotations/tvr/tvr_val_release.jsonl",
    ("tvr", "tvr_test_public_release.jsonl"): "annotations/tvr/tvr_test_public_release.jsonl",
    ("tvr", "tvr_video2dur_idx.json"): "annotations/tvr/tvr_video2dur_idx.json",
}


def test_every_data_set_of_the_field_is_there():
    assert list(ENTRIES) == FIELD


@pytest.mark.parametrize("name", FIELD)
def test_entry_is_complete(name):
    one = ENTRIES[name]
    assert one.title and one.origin and one.protocol
    assert one.citation or name == "demo"
    assert one.files or name == "demo"
    for file in one.files:
        assert file.url or file.how, file.name
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    for how in one.corpora.values():
        assert how["format"] in FORMATS


def test_corpora_are_found_by_name():
    one, format_name, options = entry_of_corpus("msrvtt-7k")
    assert (one.id, format_name, options) == ("msrvtt", "msrvtt", {"protocol": "7k"})
    with pytest.raises(
        UnknownNameError, match="makes no corpus called 'msrvtt-1k'. Did you mean msrvtt-1ka .*--format"
    ):
        entry_of_corpus("msrvtt-1k")
    with pytest.raises(UnknownNameError, match="No data set is called 'textv'. Did you mean textvr"):
        entry("textv")


def test_unknown_and_missing_keys_are_named():
    head = "format_version: 1\ndatasets:\n  x:\n    title: X\n    origin: o\n    licence: l\n"
    with pytest.raises(DataError, match="data set x: unknown key 'citaton'. Did you mean citation"):
        load_manifest(head + "    citaton: c\n    protocol: p\n")
    with pytest.raises(DataError, match="data set x: citation is missing"):
        load_manifest(head + "    protocol: p\n")
    with pytest.raises(DataError, match="has format version 9"):
        load_manifest("format_version: 9\ndatasets: {}\n")


@pytest.mark.parametrize("place", AT_HAND)
def test_sums_fit_the_real_files(place, real_data):
    (file,) = (one for one in ENTRIES[place[0]].files if one.name == place[1])
    path = real_data / AT_HAND[place]
    assert (file.n_bytes, file.sha256) == (path.stat().st_size, sha256_file(path))
