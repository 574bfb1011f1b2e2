"""Every re-scoring against a slow one written out, on ties, one row, one column, equal scores and unscored pairs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from tests.evaluation import real, slow_rescoring
from workbench import evaluation
from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation import rank_bounds, retrieval_metrics, sweep_weights
from workbench.evaluation.rescoring import ScoringProtocol, carry_on, walks
from workbench.evaluation.rescoring.querybank import shared_rows

TENTHS = st.integers(-10, 10).map(lambda n: n / 10)  # few values: many ties
SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 6))
CLOSE = {"rtol": 2e-5, "atol": 1e-6}


@st.composite
def matrices(draw, shape=None, number=1, unscored=True):
    """float32 or float16 matrices of one shape, each with a score at least."""
    shape = shape or draw(SHAPES)
    values = st.one_of(TENTHS, st.just(-np.inf)) if unscored and draw(st.booleans()) else TENTHS
    dtype = draw(st.sampled_from([np.float32, np.float16, np.float64]))
    made = [draw(arrays(dtype, shape, elements=st.builds(dtype, values))) for _ in range(number)]
    for one in made:
        one[0, 0] = max(one[0, 0], dtype(0.1))
    return made[0] if number == 1 else made


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few rows, so that several meet in every test."""
    monkeypatch.setattr(walks, "WALK_ITEMS", 8)
    monkeypatch.setattr(walks, "STRIPS", 3)


def orders(scores):
    """Which entry of a row is above, at or below which other; the same for matrices that rank alike."""
    with np.errstate(invalid="ignore"):
        return np.sign(np.where(scores[:, :, None] == scores[:, None, :], 0, scores[:, :, None] - scores[:, None, :]))


def clear(scores, gap=1e-4):
    """Pairs of entries of a row that differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        return np.abs(scores[:, :, None] - scores[:, None, :]) > gap * np.abs(scores[:, :, None])


@given(matrices(), st.sampled_from([0.05, 0.3, 1.0, 20.0]), st.sampled_from(["t2v", "v2t", "both"]))
def test_dual_softmax(scores, temperature, direction):
    before = scores.copy()
    made, protocol = evaluation.dual_softmax(scores, temperature=temperature, direction=direction)
    assert np.array_equal(scores, before)
    assert np.allclose(made, slow_rescoring.dual_softmax(scores, temperature, direction), **CLOSE)
    assert protocol.sees == "test queries" and protocol.parameters["temperature"] == temperature
    assert protocol.to_dict()["direction"] == direction


@given(matrices(unscored=False))
def test_dual_softmax_for_both_ranks_as_for_each(scores):
    """One matrix holds the order of S * softmax(captions) in its rows and of S * softmax(videos) in its columns."""
    scores = scores.astype(np.float64)
    both = evaluation.dual_softmax(scores, temperature=0.3).similarity
    t2v, v2t = scores * softmax(scores / 0.3, axis=0), scores * softmax(scores / 0.3, axis=1)
    for made, wanted in ((both, t2v), (both.T, v2t.T)):
        sure = clear(wanted, 1e-9)
        assert (orders(made)[sure] == orders(wanted)[sure]).all()


def test_dual_softmax_at_a_high_temperature_changes_no_rank():
    scores = np.random.default_rng(0).normal(size=(30, 30)).astype(np.float32)
    made, protocol = evaluation.dual_softmax(scores, temperature=1e7)
    for direction in ("t2v", "v2t"):
        assert (
            rank_bounds(made, direction=direction).expected == rank_bounds(scores, direction=direction).expected
        ).all()
    assert "hardly anything changes" in protocol.warnings[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_order_of_captions_and_videos_does_not_matter(seed):
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=(23, 17)).astype(np.float32)
    rows, columns = draw.permutation(23), draw.permutation(17)
    bank = draw.normal(size=(9, 17)).astype(np.float32)
    for change in (evaluation.dual_softmax, evaluation.csls, evaluation.sinkhorn,
                   lambda s: evaluation.reciprocal_rank_fusion([s, -s])):  # fmt: skip
        assert np.allclose(
            change(scores).similarity[rows][:, columns], change(scores[rows][:, columns]).similarity, **CLOSE
        )
    one, other = (
        evaluation.querybank_norm(s, b) for s, b in ((scores, bank), (scores[rows][:, columns], bank[:, columns]))
    )
    assert np.allclose(one.similarity[rows][:, columns], other.similarity, **CLOSE)


def test_temperature_is_chosen_and_said():
    cosines = np.random.default_rng(0).uniform(-1, 1, (5, 5))
    for scores, temperature, word in ((cosines, 0.01, "cosines"), (30 * cosines, 1.0, "logits")):
        for change in (evaluation.dual_softmax, evaluation.sinkhorn):
            parameters = change(scores).protocol.parameters
            assert parameters["temperature"] == temperature and word in parameters["temperature_from"]


def test_the_prior_is_checked():
    scores = np.random.default_rng(0).uniform(0, 3, size=(4, 3))
    for change in (evaluation.dual_softmax, evaluation.sinkhorn):
        assert "here 4 captions meet 3 videos" in change(scores, temperature=1.0).protocol.warnings[0]
        uneven = sp.csr_array(np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]))
        said = change(scores, uneven, temperature=1.0).protocol.warnings[0]
        assert "1 of 3 videos have no caption, videos have 2 to 3 captions and 1 of 4 captions have not" in said
        even = np.kron(np.eye(2), [[1], [1]])
        assert not change(scores[:, :2], even, temperature=1.0).protocol.warnings
    assert not evaluation.dual_softmax(scores[:3], temperature=1.0).protocol.warnings[1:]


def test_shares_too_small_for_the_type_are_counted():
    scores = np.array([[1.0, -1.0], [-1.0, 1.0]], np.float32)
    assert "2 shares are too small" in evaluation.dual_softmax(scores, temperature=0.005).protocol.warnings[0]
    negative = evaluation.dual_softmax(scores - 2, temperature=1.0).protocol.warnings
    assert "In 2 rows every score is negative" in negative[0]


@given(st.data(), st.sampled_from([1.0, 20.0]), st.integers(1, 3), st.booleans())
def test_querybank_norm_ranks_rows_as_published(data, beta, k, dynamic):
    scores = data.draw(matrices())
    bank = data.draw(matrices(shape=(data.draw(st.integers(1, 5)), scores.shape[1]), unscored=False))
    before = scores.copy(), bank.copy()
    made, protocol = evaluation.querybank_norm(scores, bank, beta=beta, k=k, dynamic=dynamic)
    assert np.array_equal(scores, before[0]) and np.array_equal(bank, before[1])
    wanted, changed = slow_rescoring.querybank(scores, bank, beta, k, dynamic)
    assert protocol.parameters["changed"] == changed.sum()
    sure = clear(wanted)
    assert (orders(made)[sure] == orders(wanted)[sure]).all()
    assert np.array_equal(made[~changed], scores[~changed])
    scored = np.isfinite(wanted[changed])
    shift = np.log(wanted[changed][scored]) / beta - made[changed][scored]  # one constant for the whole matrix
    assert len(shift) == 0 or np.ptp(shift) < 1e-4


@given(st.data(), st.booleans())
def test_querybank_norm_for_videos_is_that_of_the_transposed(data, dynamic):
    scores = data.draw(matrices())
    bank = data.draw(matrices(shape=(scores.shape[0], data.draw(st.integers(1, 5))), unscored=False))
    made, protocol = evaluation.querybank_norm(scores, bank, dynamic=dynamic, direction="v2t")
    turned = evaluation.querybank_norm(scores.T, bank.T, dynamic=dynamic).similarity.T
    assert np.array_equal(made, turned)
    wanted, _ = slow_rescoring.querybank(scores.T, bank.T, 20.0, 1, dynamic)
    sure = clear(wanted)
    assert (orders(made.T)[sure] == orders(wanted)[sure]).all()
    assert protocol.to_dict()["warnings"][-1].startswith("Scores were made for v2t: the t2v numbers are no")


def test_a_plain_inverted_softmax_keeps_the_order_of_columns():
    draw = np.random.default_rng(0)
    scores, bank = draw.uniform(-1, 1, (20, 20)), draw.uniform(-1, 1, (30, 20))
    made = evaluation.querybank_norm(scores, bank, dynamic=False).similarity
    assert (rank_bounds(made, direction="v2t").expected == rank_bounds(scores, direction="v2t").expected).all()


def test_an_empty_bank_changes_nothing():
    scores = np.eye(3, dtype=np.float32)
    made, protocol = evaluation.querybank_norm(scores, np.zeros((0, 3)))
    assert np.array_equal(made, scores) and made is not scores
    assert protocol.sees == "nothing" and "no score was changed" in protocol.warnings[0]


def test_a_bank_of_test_queries_is_labelled_so():
    scores = np.random.default_rng(0).uniform(-1, 1, (20, 12)).astype(np.float32)
    bank = np.concatenate([scores[:8], np.random.default_rng(1).uniform(-1, 1, (4, 12)).astype(np.float32)])
    assert shared_rows(scores, bank) == 8
    sees, warnings = (getattr(evaluation.querybank_norm(scores, bank).protocol, name) for name in ("sees", "warnings"))
    assert sees == "test queries" and "8 of 12 queries of the bank stand in the test split" in warnings[0]
    assert evaluation.querybank_norm(scores, bank[4:]).protocol.sees == "train queries"
    logits = evaluation.querybank_norm(100 * scores, bank[8:]).protocol
    assert "beta 20 is meant for cosines" in logits.warnings[0]


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (np.zeros((4, 5)), r"The bank is \(4, 5\); for t2v it must be \[bank captions, 3\]"),
        (np.zeros((3, 5)), "It looks transposed"),
        (np.array([[0.1, np.nan, 0.2]]), "The bank holds nan at row 0, column 1"),
        (np.array([[0.1, -np.inf, 0.2]]), "no score for 1 items, the first is number 1"),
    ],
)
def test_a_bank_that_does_not_fit(bank, said):
    with pytest.raises(DataError, match=said):
        evaluation.querybank_norm(np.ones((2, 3)), bank)


@given(matrices(), st.integers(1, 8))
def test_csls(scores, k):
    before = scores.copy()
    made, protocol = evaluation.csls(scores, k=k)
    assert np.array_equal(scores, before)
    assert np.allclose(made, slow_rescoring.csls(scores, k), **CLOSE)
    assert protocol.sees == "test queries"
    assert bool(protocol.warnings) == (k > min(scores.shape))


@given(matrices(unscored=False), st.sampled_from([0.1, 1.0]), st.integers(1, 4))
def test_sinkhorn_in_a_few_passes(scores, temperature, passes):
    before = scores.copy()
    made, protocol = evaluation.sinkhorn(scores, temperature=temperature, iterations=passes, tolerance=1e-9)
    assert np.array_equal(scores, before)
    done = protocol.parameters["passes"] - (protocol.parameters["off_by"] <= 1e-9)
    assert np.allclose(made, slow_rescoring.sinkhorn(scores, temperature, done), rtol=1e-4, atol=1e-5)


def test_sinkhorn_settles():
    scores = np.random.default_rng(0).uniform(-1, 1, (12, 8)).astype(np.float32)
    scores[3, 2] = scores[:, 5] = scores[7] = -np.inf
    made, protocol = evaluation.sinkhorn(scores, temperature=0.2, iterations=500, tolerance=1e-6)
    assert (np.isinf(made) == np.isinf(scores)).all()
    shares = np.exp(made.astype(float) / 0.2)
    assert np.allclose(shares.sum(axis=1)[np.arange(12) != 7], 1 / 11, rtol=1e-4)
    assert np.allclose(shares.sum(axis=0)[np.arange(8) != 5], 1 / 7, rtol=1e-4)
    assert protocol.parameters["off_by"] <= 1e-6
    short = evaluation.sinkhorn(scores, temperature=0.02, iterations=1).protocol
    assert "has not settled after 1 passes" in short.warnings[-1]


@given(matrices(number=3), st.sampled_from([0.0, 1.0, 60.0]))
def test_rank_fusion(three, k):
    before = [one.copy() for one in three]
    made, protocol = evaluation.reciprocal_rank_fusion(three, k=k)
    assert all(np.array_equal(one, was) for one, was in zip(three, before, strict=True))
    assert np.allclose(made, slow_rescoring.rank_fusion(three, [1, 1, 1], k), **CLOSE)
    assert protocol.sees == "nothing"
    turned = evaluation.reciprocal_rank_fusion([one.T for one in three], k=k, direction="v2t")
    assert np.array_equal(turned.similarity.T, made)
    weights = {"a": 0.5, "b": 2.0, "c": 0.0}
    weighted = evaluation.weighted_rank_fusion(dict(zip("abc", three, strict=True)), weights, k=k)
    assert np.allclose(weighted.similarity, slow_rescoring.rank_fusion(three, weights.values(), k), **CLOSE)


@given(matrices(number=2), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from(["none", "query"]))
def test_weighted_sum(two, weight, scale):
    before = [one.copy() for one in two]
    made, protocol = evaluation.fuse_scores(dict(zip("ab", two, strict=True)), [1 - weight, weight], scale=scale)
    assert all(np.array_equal(one, was) for one, was in zip(two, before, strict=True))
    assert np.allclose(
        made, slow_rescoring.weighted_sum(two, [1 - weight, weight], scale == "query"), rtol=1e-4, atol=1e-4
    )
    assert protocol.parameters["weights"] == {"a": 1 - weight, "b": weight} and protocol.sees == "nothing"
    turned = evaluation.fuse_scores({"a": two[0].T, "b": two[1].T}, [1 - weight, weight], scale=scale, direction="v2t")
    assert np.allclose(turned.similarity.T, made, **CLOSE)


def planted(seed=0):
    """A modality that knows half of the domains and one that knows the other half."""
    draw = np.random.default_rng(seed)
    domains = np.repeat(["a", "b"], 40)
    known = {name: np.diag(np.where(domains == one, 1.0, 0.0)) for name, one in (("vision", "a"), ("ocr", "b"))}
    return {name: scores + 0.3 * draw.normal(size=(80, 80)) for name, scores in known.items()}, domains


def test_the_sweep_finds_the_weight():
    both, domains = planted()
    sweep = sweep_weights(both, domains=domains)
    assert set(sweep.weights) == {"vision", "ocr"} and 0.2 < sweep.weights["ocr"] < 0.8
    assert sum(sweep.weights.values()) == pytest.approx(1)
    assert sweep.best_of_domain["a"] < sweep.weights["ocr"] < sweep.best_of_domain["b"]
    total = sweep.curve[sweep.curve["domain"].isna()]
    assert len(total) == 21 and (total["n_queries"] == 80).all()
    for row in total.iloc[::5].itertuples():
        fused = evaluation.fuse_scores(both, [1 - row.weight, row.weight]).similarity
        assert retrieval_metrics(fused).r1 == pytest.approx(row.value)
    parts = sweep.curve[sweep.curve["domain"].notna()].groupby("weight")["value"].mean()  # domains of one size
    assert np.allclose(parts.to_numpy(), total["value"].to_numpy())
    assert sweep.value == total["value"].max()
    assert sweep_weights(both, metric="mean_rank", steps=3, direction="v2t").weights["ocr"] == 0.5


def test_of_several_best_weights_the_middle_is_taken():
    same = np.eye(5)
    assert sweep_weights({"a": same, "b": same}).weights == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("modalities", "options", "said"),
    [
        ({"a": np.eye(2)}, {}, "A sweep needs two modalities, there are 1: a"),
        ({"a": np.eye(2), "b": np.eye(2)}, {"steps": 1}, "1 steps make no sweep"),
        ({"a": np.eye(2), "b": np.eye(2)}, {"domains": ["x"]}, "There are 1 domains for 2 queries"),
        ({"a": np.eye(2), "b": np.eye(3)}, {}, r"b is \(3, 3\), a is \(2, 2\)"),
        ({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, {}, "without relevance only a square matrix"),
    ],
)
def test_a_sweep_that_cannot_be(modalities, options, said):
    with pytest.raises(DataError, match=said):
        sweep_weights(modalities, **options)


EACH = {
    "dsl": evaluation.dual_softmax,
    "csls": evaluation.csls,
    "sinkhorn": evaluation.sinkhorn,
    "qb": lambda s, **o: evaluation.querybank_norm(s, np.full((2, np.shape(s)[-1]), 0.5), **o),
    "rrf": lambda s, **o: evaluation.reciprocal_rank_fusion([s], **o),
    "fusion": lambda s, **o: evaluation.fuse_scores({"similarity": s}, [1.0], **o),
}


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (np.array([[0.1, np.nan], [0.2, 0.3]]), "holds nan at row 0, column 1"),
        (np.array([[0.1, 0.2], [np.inf, 0.3]]), "holds inf at row 1, column 0"),
        (np.full((2, 2), -np.inf), "every entry is -inf"),
        (np.zeros((2, 0)), "empty"),
        (np.zeros(3), "1 axes"),
        (np.array([["a", "b"]]), "<U1"),
    ],
)
def test_hostile_input(name, scores, said):
    with pytest.raises(DataError, match=said):
        EACH[name](scores)


@pytest.mark.parametrize("name", EACH)
def test_one_row_one_column_all_equal(name):
    for shape in ((1, 1), (1, 5), (5, 1), (4, 4)):
        made = EACH[name](np.full(shape, 0.25, np.float32)).similarity
        assert made.shape == shape and made.dtype == np.float32 and np.isfinite(made).all()
        assert np.ptp(made) <= 1e-6  # nothing tells them apart
    assert EACH[name](np.eye(3, dtype=np.int32)).similarity.dtype == np.float64
    with np.errstate(all="raise"):
        unscored = np.eye(4, dtype=np.float16)
        unscored[1] = unscored[:, 2] = -np.inf
        made = EACH[name](unscored).similarity
    assert (np.isneginf(made) == np.isneginf(unscored)).all() and not np.isnan(made).any()


@pytest.mark.parametrize("name", EACH)
def test_memory_maps_in_and_out(name, tmp_path):
    scores = np.random.default_rng(0).uniform(-1, 1, (40, 30)).astype(np.float32)
    wanted = EACH[name](scores).similarity
    np.save(tmp_path / "in.npy", scores)
    stored = np.load(tmp_path / "in.npy", mmap_mode="r")
    out = np.lib.format.open_memmap(tmp_path / "out.npy", mode="w+", dtype=np.float32, shape=scores.shape)
    made = EACH[name](stored, out=out).similarity
    assert made is out and np.array_equal(np.load(tmp_path / "out.npy"), wanted)
    again = np.load(tmp_path / "in.npy", mmap_mode="r+")
    for bad, said in (
        (scores, "overlaps"),
        (scores[::-1], "overlaps"),
        (np.zeros((30, 40)), r"out is float64 \(30, 40\)"),
        (np.zeros((40, 30), int), "float32"),
        ([1], "list"),
        (np.lib.format.open_memmap(tmp_path / "out.npy", mode="r"), "read-only"),
    ):
        with pytest.raises(DataError, match=said):
            EACH[name](scores, out=bad)
    with pytest.raises(DataError, match="overlaps"):
        EACH[name](stored, out=again)
    assert np.array_equal(np.load(tmp_path / "in.npy"), scores)


@pytest.mark.parametrize("name", EACH)
def test_cores_do_not_change_a_bit(name, monkeypatch):
    scores = np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        found.append(EACH[name](scores).similarity)
    assert np.array_equal(*found)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda s: evaluation.dual_softmax(s, temperature=0), "The temperature is 0; it must be above 0"),
        (lambda s: evaluation.sinkhorn(s, temperature=float("nan")), "The temperature is nan"),
        (lambda s: evaluation.sinkhorn(s, iterations=0), "0 iterations"),
        (lambda s: evaluation.csls(s, k=0), "k is 0"),
        (lambda s: evaluation.querybank_norm(s, s, beta=-1), "beta is -1"),
        (lambda s: evaluation.reciprocal_rank_fusion([]), "There is no similarity to fuse"),
        (lambda s: evaluation.reciprocal_rank_fusion([s, s[:1]]), r"2 is \(1, 2\), 1 is \(2, 2\)"),
        (lambda s: evaluation.reciprocal_rank_fusion([s], k=-1), "k is -1"),
        (lambda s: evaluation.weighted_rank_fusion([s], [1, 2]), "Give one weight for each"),
        (lambda s: evaluation.fuse_scores({"a": s}, {"b": 1}), "There are weights for b; the scores are a"),
        (lambda s: evaluation.fuse_scores({"a": s, "b": s}, [0, 0]), "not all 0"),
        (lambda s: evaluation.fuse_scores({"a": s, "b": s}, [-1, 2]), "at least 0"),
        (lambda s: evaluation.fuse_scores({}, {}), "There is no similarity to fuse"),
    ],
)
def test_parameters_that_make_no_sense(ask, said):
    with pytest.raises(DataError, match=said):
        ask(np.eye(2))


def test_unknown_names():
    for ask in (
        lambda: evaluation.dual_softmax(np.eye(2), direction="t2"),
        lambda: evaluation.querybank_norm(np.eye(2), np.eye(2), direction="both"),
        lambda: evaluation.fuse_scores({"a": np.eye(2)}, [1], scale="minmax"),
        lambda: ScoringProtocol("DSL", "everything"),
    ):
        with pytest.raises(UnknownNameError):
            ask()


def test_protocols_add_up():
    raw = {"scoring": "raw", "sees": "nothing", "rerank": None, "candidates": 128}
    first = carry_on(raw, ScoringProtocol("QB-Norm", "train queries", "t2v", {"beta": 20.0}, ("One.",)))
    assert first["scoring"] == "QB-Norm" and first["candidates"] == 128
    second = carry_on(first, ScoringProtocol("RRF", "nothing", "both", {"k": 60}))
    assert second["scoring"] == "QB-Norm + RRF" and second["sees"] == "train queries"
    assert [step["scoring"] for step in second["steps"]] == ["QB-Norm", "RRF"] and second["warnings"][0] == "One."
    assert carry_on(second, ScoringProtocol("DSL", "test queries"))["sees"] == "test queries"


@real.needs_real_data
def test_dual_softmax_on_a_published_matrix():
    """CLIP4Clip on MSR-VTT 1k-A: ``S * softmax`` as InternVideo's evaluation has it, scored by sorting."""
    scores = np.asarray(real.matrix("clip4clip"), np.float64)
    made, protocol = evaluation.dual_softmax(real.matrix("clip4clip"))
    metrics = retrieval_metrics(made, direction="both")
    for direction, wanted in (("t2v", scores * softmax(scores, axis=0)), ("v2t", (scores * softmax(scores, axis=1)).T)):
        hits = (np.argsort(-wanted, axis=1)[:, :5] == np.arange(1000)[:, None]).any(axis=1)
        assert metrics[direction].r5 == pytest.approx(100 * hits.mean())
    assert protocol.parameters["temperature"] == 1 and not protocol.warnings
    raw = retrieval_metrics(real.matrix("clip4clip"), direction="both")
    assert metrics["t2v"].r1 > raw["t2v"].r1 + 2 and metrics["v2t"].r1 > raw["v2t"].r1 + 8
