"""Moments from TVR's files to printed numbers: prepare, import, evaluate with and without suppression, export."""

from __future__ import annotations

import json

import pytest

NAMES = [f"house_s01e0{i}_seg02_clip_00" for i in range(1, 7)]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = [
        {"vid_name": name, "duration": 60.0, "ts": [3.0, 9.0], "desc": f"number {i}", "type": kind, "desc_id": i}
        for i, (name, kind) in enumerate(zip(NAMES, ("v", "v", "t", "vt"), strict=False))
    ]
    (tmp_path / "val.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (tmp_path / "index.json").write_text(json.dumps({"val": {name: [60.0, i] for i, name in enumerate(NAMES)}}))
    wrong_first = [[0, 2.0, 4.0, 3.0], [0, 3.0, 9.0, 2.0], [0, 3.5, 9.0, 1.0]]
    lists = [{"desc_id": i, "desc": "", "predictions": [[i, 3.0, 9.0, 2.0], [5, 0.0, 6.0, 1.0]]} for i in range(1, 4)]
    lists = [{"desc_id": 0, "desc": "", "predictions": wrong_first}, *lists]
    submission = {"video2idx": {name: i for i, name in enumerate(NAMES)}, "VCMR": lists, "SVMR": lists[:-1]}
    (tmp_path / "p.json").write_text(json.dumps(submission))


@pytest.mark.usefixtures("files")
def test_numbers_of_moments(workbench):
    code, out, _ = workbench("data", "prepare", "tvr", "--annotations", "val.jsonl", "--annotations", "index.json")
    assert code == 0 and "tvr/val: 4 captions, 6 videos" in out
    code, out, _ = workbench("import", "p.json", "--corpus", "tvr", "--name", "m")
    assert code == 0 and "It holds moments too: workbench evaluate m" in out
    code, out, _ = workbench("evaluate", "m")
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0 and "task queries tIoU R@1 R@5 R@10 R@100 R@1 95 % n" in rows
    assert any(row.startswith("VCMR all 0.50 75.00 100.00 100.00 100.00 [") and row.endswith(" 4") for row in rows)
    assert any(row.startswith("VCMR vt (both) 0.70 100.00") for row in rows)
    assert any(row.startswith("SVMR all 0.70 50.00 75.00") for row in rows)
    assert rows[-1] == "SVMR: queries without a prediction, which are misses: 1."
    shown = json.loads(workbench("evaluate", "m", "--nms", "0.4", "--json")[1])
    assert shown["t2v"]["n_queries"] == 4 and shown["moments"]["tvr"]["VCMR"]["0.5-r1"] == 75.0
    assert shown["moments"]["nms"] == 0.4 and shown["moments"]["clustered"] and len(shown["moments"]["table"]) == 64
    assert "After temporal suppression at tIoU 0.4." in workbench("evaluate", "m", "--nms", "0.4")[1]
    assert workbench("export", "m", "-o", "m.zip")[0] == 0
    assert workbench("import", "m.zip", "--corpus", "tvr", "--name", "again")[0] == 0
    assert (
        json.loads(workbench("evaluate", "again", "--json")[1])["moments"]
        == json.loads(workbench("evaluate", "m", "--json")[1])["moments"]
    )
