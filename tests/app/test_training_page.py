"""Training: what runs, failed or died, its curves and ranks, the address, and that test numbers come last."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs, made_similarity
from tests.trained import GONE, ranks_of, training
from workbench.app.parts import training as training_parts
from workbench.app.parts import training_ranks
from workbench.app.parts.training import resume_command, states_of, trainings_here
from workbench.core.files import read_json, write_json
from workbench.evaluation import Run
from workbench.evaluation.runs.saving import fail_run

HOSTILE = "<script>alert(1)</script> **loss**"
pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def corpus(home):
    return made_corpus(40)


def shown(**parameters: str) -> AppTest:
    app = opened("training", **parameters)
    assert not app.exception, words(app)
    return app


def said(app: AppTest) -> str:
    return words(app).replace("\\", "")


def test_without_trainings_it_says_how_to_begin(corpus):
    made_runs(corpus, ("imported",))
    app = shown()
    assert "Nothing was trained here yet" in words(app) and "workbench train" in app.code[0].value


def test_the_table_says_how_far_every_training_is(corpus):
    training(corpus, "runs", losses=[3.0, 2.0, 1.0], mrr={2: 0.5})
    training(corpus, "done", losses=[3.0] * 10, mrr={10: 0.75}, end="finished")
    training(corpus, "broke", end=HOSTILE)
    training(corpus, "gone", losses=[3.0], end="dead")
    table = shown().dataframe[0].value.set_index("Run")
    assert table["State"].to_dict() == {"runs": "running", "done": "finished", "broke": "failed", "gone": "dead"}
    assert table["Step"].to_dict() == {"runs": "3 of 10", "done": "10 of 10", "broke": "0 of 10", "gone": "1 of 10"}
    assert table.loc["runs", "Time left"] == "about 14 s" and table.loc["gone", "Time left"] == ""
    assert table.loc["runs", "Done"] == 30 and "ago" in table.loc["runs", "Last sign of life"]
    assert table.loc["done", "MRR ↑"] == 0.75 and table.loc["done", "Chosen step"] == 10
    assert "Job" not in table and table.loc["broke", "Note"] == HOSTILE


def test_videos_that_take_no_part_are_named(corpus):
    run = training(corpus, "runs", losses=[3.0])
    assert "no part" not in words(shown())
    info = read_json(run.path / "run.json", "the run")
    lost = {"a.mp4": HOSTILE, **{f"{n}.mp4": "cut off" for n in range(3)}}
    write_json(run.path / "run.json", {**info, "excluded": lost})
    found = said(shown())
    assert f"4 train videos take no part. a.mp4: {HOSTILE}; 0.mp4: cut off; 1.mp4: cut off; ..." in found


def test_what_runs_is_shown_first_and_choices_stand_in_the_address(corpus):
    training(corpus, "done", losses=[3.0], end="finished")
    training(corpus, "runs", losses=[3.0])
    app = shown()
    assert app.query_params["run"] == "runs" and app.multiselect[0].value == ["runs"]
    app.multiselect[0].select("done").run()
    assert app.query_params["run"] == "runs,done" and not app.exception
    app.segmented_control(key="choose follow").set_value("no").run()
    assert app.query_params["follow"] == "no" and not app.exception
    app = shown(run="done,nope", smooth="50", direction="v2t")
    assert "There is no training called nope here" in said(app) and app.multiselect[0].value == ["done"]
    assert app.query_params["smooth"] == "50" and app.query_params["direction"] == "v2t"


def test_a_choice_of_several_does_no_harm_to_other_pages(corpus):
    made_runs(corpus)
    for name in ("a", "b"):
        training(corpus, name, losses=[3.0], end="finished")
    app = shown(run="a,b")
    app.switch_page("../pages/failures.py").run()
    assert not app.exception and not app.error, words(app)
    app.switch_page("../pages/training.py").run()
    assert not app.exception and set(app.multiselect[0].value) <= {"a", "b"}


def test_why_a_training_ended_stands_there_as_text(corpus, home):
    training(corpus, "broke", losses=[3.0], end=HOSTILE)
    folder = home / "jobs" / "train-broke"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"argv": ["train"], "pid": GONE, "started": 0.0}))
    (folder / "log.txt").write_text("\n".join(["first", *["line"] * 30, f"error: {HOSTILE}"]))
    training(corpus, "gone", losses=[3.0], end="dead")
    app = shown(run="broke,gone")
    assert "failed" in said(app) and "<script>" not in words(app)
    log, again, terminal, _ = [one.value for one in app.code]
    assert log.endswith(f"error: {HOSTILE}") and "first" not in log and again.endswith("--name broke --resume")
    assert "**gone** died. Its process is gone" in said(app) and "was not started as a job" in terminal


def test_the_command_that_goes_on(corpus):
    run = training(corpus, "t")
    for command, expected in (
        (["/x/__main__.py", "train", "demo", "note=a b", "--overwrite"], "workbench train demo 'note=a b' --name t"),
        (["workbench", "train", "demo", "--name", "t", "--resume"], "workbench train demo --name t"),
        (["workbench", "demo"], "workbench train RECIPE --name t"),
        (["ipykernel_launcher.py"], "workbench train RECIPE --name t"),
    ):
        run.info["command"] = command
        assert resume_command(run) == f"{expected} --resume"


def test_test_numbers_are_those_of_the_chosen_checkpoint_of_finished_ones(corpus):
    training(corpus, "done", losses=[3.0] * 10, mrr={5: 0.75, 10: 0.5}, best=5, end="finished")
    training(corpus, "runs", losses=[3.0])
    app = shown(run="done,runs")
    table = app.dataframe[-1].value
    assert table["Run"].to_list() == ["done"] and table["Chosen step"].to_list() == [5]
    assert "No other checkpoint has such numbers" in said(app)
    assert "Not finished, so without such numbers: runs" in said(app)


def test_ranks_of_the_validation_split(corpus):
    ids = corpus.captions["caption_id"][:3].to_list()
    ranks = ranks_of(ids, {5: [1, 1, 9], 10: [1, 4, 2]})
    training(corpus, "kept", losses=[3.0] * 10, mrr={5: 0.5, 10: 0.4}, best=5, ranks=ranks, end="finished")
    training(corpus, "old", losses=[3.0], end="finished")
    app = shown(run="kept,old", k="1")
    table = app.dataframe[1].value
    assert "Of 3 queries, at step 10: 1 learned and kept, 0 lost and learned again, 1 learned and lost" in said(app)
    assert table["Became"].to_list() == ["learned and lost", "never learned", "learned and kept"]
    assert table["Caption"][0] == corpus.captions["text"][1] and table["Rank, chosen"].to_list() == [1, 9, 1]
    assert "Ranks were not kept by: old" in said(app)
    app = shown(run="kept", k="5", kind="kept")
    assert app.dataframe[1].value["Became"].to_list() == ["learned and kept"] * 3
    assert app.query_params["k"] == "5" and app.query_params["kind"] == "kept"
    app = shown(run="kept", direction="v2t")
    assert "keeps no ranks of the validation split for v2t" in said(app)


def test_a_row_of_the_ranks_leads_to_its_query_or_its_video(corpus, monkeypatch):
    ids = corpus.captions["caption_id"][:3].to_list()
    run = training(corpus, "kept", losses=[3.0], ranks=ranks_of(ids, {5: [1, 1, 9]}), end="finished")
    gone: list[tuple[str, dict]] = []
    event = {"selection": {"rows": [1]}}

    def choose() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(training_ranks, "page", str)
            patch.setattr(training_ranks.st, "switch_page", lambda to, query_params: gone.append((to, query_params)))
            training_ranks.open_selected([run], event, ids, "t2v")

    app = shown(run="kept")
    assert "Queries open where a training is scored on made/test too" in said(app)
    assert "workbench score kept --corpus made --split test --name kept-test" in [one.value for one in app.code]
    choose()
    wb.save_run(made_similarity(corpus), corpus=corpus, name="kept-test", parent="kept@best")
    assert "Select a row to open its query." in said(shown(run="kept"))
    choose()
    video = corpus.captions["video_id"][1]
    at = {"v": "1", "corpus": "made/test", "direction": "t2v"}
    assert gone == [
        ("domains", {**at, "domain": "Cooking", "video": video}),
        ("query", {**at, "run": "kept-test", "q": ids[1]}),
    ]


def test_the_page_notices_what_begins_and_ends(corpus, monkeypatch):
    drawn = []
    monkeypatch.setattr(training_parts.st, "rerun", lambda scope: drawn.append(scope))
    run = training(corpus, "t", losses=[3.0])
    seen = states_of(trainings_here())
    training_parts.show_overview(seen)
    assert drawn == []
    fail_run(run.path, "It broke.")
    training_parts.show_overview(seen)
    training(corpus, "other")
    training_parts.show_overview(states_of([Run(run.path)]))
    assert drawn == ["app", "app"]


def test_a_damaged_history_is_said(corpus):
    run = training(corpus, "t", losses=[3.0])
    (run.path / "history.parquet").write_bytes(b"nothing")
    training(corpus, "sound", losses=[3.0])
    app = shown(run="t")
    assert "**t**: " in said(app) and "cannot be read as Parquet" in said(app)
    assert app.dataframe[0].value["Run"].to_list() == ["sound"]


def test_a_loss_that_is_not_a_number_is_said(corpus):
    training(corpus, "t", losses=[3.0, float("nan"), 1.0])
    assert "The loss of t is not a number from step 1 on" in said(shown())
    training(corpus, "fresh")
    assert "The first curves of fresh come in a moment" in said(shown(run="fresh"))


def test_a_run_without_a_recipe_is_shown_too(corpus):
    run = training(corpus, "own", losses=[3.0, 2.0], mrr={2: 0.5}, end="finished")
    write_json(run.path / "run.json", {**read_json(run.path / "run.json", "the run"), "recipe": None})
    row = shown().dataframe[0].value.iloc[0]
    assert row["Step"] == "2" and row["Chosen step"] == 2 and row["State"] == "finished"
