"""StarVR's equations as they stand in spec/textvr.md, section 3: one token, one head, one word, one video at a time."""

from __future__ import annotations

import math

import torch

from tests.models import slow_space_time

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).double(), torch.tensor([0.229, 0.224, 0.225]).double()


def linear(state, name, value):
    return state[f"{name}.weight"] @ value + state[f"{name}.bias"]


def norm(state, name, value):
    """Layer norm with DistilBERT's eps."""
    mean = sum(value) / len(value)
    variance = sum((one - mean) ** 2 for one in value) / len(value)
    return (value - mean) / torch.sqrt(variance + 1e-12) * state[f"{name}.weight"] + state[f"{name}.bias"]


def attend(queries, keys, values, heads):
    """softmax(q k / sqrt(d)) v, head by head."""
    size = len(queries[0]) // heads
    out = []
    for query in queries:
        found = []
        for head in range(heads):
            at = slice(head * size, (head + 1) * size)
            scores = torch.stack([query[at] @ key[at] for key in keys]) / math.sqrt(size)
            weights = torch.exp(scores) / torch.exp(scores).sum()
            found.append(sum(weight * value[at] for weight, value in zip(weights, values, strict=True)))
        out.append(torch.cat(found))
    return out


def distilbert(state, name, ids, heads, depth):
    """Last hidden state at position 0 of one text of word pieces."""
    table, places = (state[f"{name}.embeddings.{kind}_embeddings.weight"] for kind in ("word", "position"))
    tokens = [norm(state, f"{name}.embeddings.LayerNorm", table[one] + places[at]) for at, one in enumerate(ids)]
    for block in range(depth):
        layer = f"{name}.transformer.layer.{block}"
        asked = [[linear(state, f"{layer}.attention.{kind}_lin", x) for x in tokens] for kind in "qkv"]
        gathered = [linear(state, f"{layer}.attention.out_lin", x) for x in attend(*asked, heads)]
        middle = [norm(state, f"{layer}.sa_layer_norm", a + x) for a, x in zip(gathered, tokens, strict=True)]
        tokens = []
        for x in middle:
            hidden = linear(state, f"{layer}.ffn.lin1", x)
            hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
            tokens.append(norm(state, f"{layer}.output_layer_norm", linear(state, f"{layer}.ffn.lin2", hidden) + x))
    return tokens[0]


def video(state, frames, options):
    """v of uint8 frames [T, height, width, 3]."""
    pixels = ((frames.double() / 255 - MEAN) / STD).permute(0, 3, 1, 2)
    tower = {key.removeprefix("video_model."): one for key, one in state.items() if key.startswith("video_model.")}
    tokens = slow_space_time.all_tokens(tower, pixels, options.patch_size, options.heads, options.depth)
    return slow_space_time.norm(tower, "norm", tokens[0])


def caption_vector(state, ids, options):
    """t of a caption's word pieces."""
    return linear(state, "txt_proj.1", torch.relu(distilbert(state, "text_model", ids, *_text(options))))


def video_vector(state, frames, words, places, options):
    """e of a video: frames, the word pieces of its words, and their places [12]."""
    if options.modality == "vision":
        return linear(state, "vid_proj.0", video(state, frames, options))
    query, tokens = state["query_token"][0], []
    for ids, place in zip(words, places, strict=True):
        token = distilbert(state, "ocr_model", ids, *_text(options))
        if options.modality == "fusion":
            token = token + linear(state, "ocr_pos_embeds", place) + state["type_embedding.weight"][2]
        tokens.append(token)
    if options.modality == "fusion":
        types = state["type_embedding.weight"]
        tokens = [query + types[0], video(state, frames, options) + types[1], *tokens]
    else:
        tokens = [query, *tokens]
    asked = [[linear(state, f"fusion_model.{kind}", x) for x in tokens] for kind in ("query", "key", "value")]
    return linear(state, "fusion_proj.1", torch.relu(query + attend(*asked, options.fusion_heads)[0]))


def cosine(one, other):
    return one @ other / (max(one.norm(), 1e-8) * max(other.norm(), 1e-8))


def _text(options):
    return options.text_heads, options.text_depth
