"""Every reader gives the frame that was asked for: the barcode in the picture is the index."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import CLIPS, copy_cut, read_barcode, write_clip
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.optional import has
from workbench.core.seeds import generator
from workbench.video import probe, read_frames
from workbench.video.probe import UnreadableVideo
from workbench.video.sampling import Sampler


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> dict[str, tuple[Path, list[float]]]:
    """All barcode videos by name, with the times they were written with."""
    folder = tmp_path_factory.mktemp("clips")
    return {name: (folder / name, write_clip(folder / name, **how)) for name, how in CLIPS.items()}


@pytest.mark.parametrize("name", CLIPS)
def test_pyav_is_exact(clips, name):
    path, times = clips[name]
    info = probe(path)
    assert info.n_frames == len(times)
    if name not in ("stream.ts", "mpeg1.mpg", "mpeg4.avi"):  # containers with clocks and rates of their own
        np.testing.assert_allclose(info.times, times, atol=2e-3 if path.suffix == ".webm" else 1e-6)
    for frames in (list(range(info.n_frames)), [info.n_frames - 1], [0], "uniform-12", Sampler("linspace", 5)):
        found = read_frames(info, frames)
        assert [read_barcode(pixels) for pixels in found.pixels] == found.indices.tolist()
        np.testing.assert_array_equal(found.times, info.times[found.indices])


@pytest.mark.parametrize("name", CLIPS)
def test_decord_is_exact_where_it_is_called_safe(clips, name):
    if not has("decord"):
        pytest.skip("decord has wheels for Linux on x86 only")
    info = probe(clips[name][0])
    found = read_frames(info, "uniform-12", reader="auto")
    assert [read_barcode(pixels) for pixels in found.pixels] == found.indices.tolist()
    assert found.reader.startswith("pyav" if info.decord_unsafe else "decord") and found.note == ""
    if not info.decord_unsafe:
        np.testing.assert_array_equal(found.pixels, read_frames(info, "uniform-12").pixels)


def right_by_decord(path: Path, n_frames: int) -> int:
    """How many frames decord returns rightly, each asked for once in random order."""
    decord = pytest.importorskip("decord", reason="decord has wheels for Linux on x86 only")
    try:
        reader = decord.VideoReader(str(path), num_threads=1)
    except decord.DECORDError:  # it refuses the file
        return 0
    order = generator(0, "decord").permutation(min(len(reader), n_frames))
    found = []
    for index in order.tolist():
        try:
            found.append(read_barcode(reader[index].asnumpy()) == index)
        except decord.DECORDError:
            found.append(False)
    return sum(found)


@pytest.mark.parametrize("name", CLIPS)
def test_the_table_in_the_docs_says_what_decord_does(clips, name):
    text = (Path(__file__).parents[2] / "docs" / "videos.md").read_text(encoding="utf-8")
    said, _, reason = re.search(rf"\| {re.escape(name)} \| (.*?) \| (.*?) \| ?(.*?) ?\|", text).groups()
    info = probe(clips[name][0])
    assert info.decord_unsafe == reason
    exact = right_by_decord(info.path, info.n_frames) == info.n_frames
    assert said.startswith("exact") == exact and (said != "exact") == bool(reason)


def test_a_cut_by_stream_copy_is_exact_by_presentation_time(clips, tmp_path):
    source, times = clips["b_frames.mp4"]
    copy_cut(source, tmp_path / "cut.mp4", 1.3)
    info = probe(tmp_path / "cut.mp4")
    assert info.cut and info.decord_unsafe == "an edit list that cuts"
    found = read_frames(info, list(range(info.n_frames)))
    shown = [i for i, time in enumerate(times) if time >= 1.3 - 1e-6]
    assert [read_barcode(pixels) for pixels in found.pixels] == shown
    np.testing.assert_allclose(found.times - found.times[0], np.asarray(times)[shown] - times[shown[0]], atol=2e-3)


def test_frames_are_scaled(clips):
    path, _ = clips["constant.mp4"]
    small = read_frames(path, [3, 40], short_side=48)
    assert small.pixels.shape == (2, 48, 80, 3) and [read_barcode(p) for p in small.pixels] == [3, 40]


def test_damage_is_said_and_nothing_is_replaced(clips, tmp_path):
    data = clips["long_gop.mkv"][0].read_bytes()
    (tmp_path / "cut_off.mkv").write_bytes(data[: len(data) * 6 // 10])
    short = probe(tmp_path / "cut_off.mkv")
    found = read_frames(short, "uniform-12")
    assert short.n_frames < 120 and [read_barcode(p) for p in found.pixels] == found.indices.tolist()
    for name, content in (("empty.mp4", b""), ("garbage.mp4", b"no video at all" * 99)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableVideo, match=f"{name} cannot be read: .* Replace the file"):
            probe(tmp_path / name)
    with pytest.raises(UnreadableVideo, match=r"none\.mp4 does not exist"):
        probe(tmp_path / "none.mp4")


def test_a_file_whose_packets_give_no_picture_is_counted_by_decoding(clips, tmp_path):
    data = bytearray(clips["constant.mp4"][0].read_bytes())
    with av.open(str(clips["constant.mp4"][0])) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        for packet in packets[20:24]:
            data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    (tmp_path / "damaged.mp4").write_bytes(data)
    found = read_frames(tmp_path / "damaged.mp4", "uniform-12")
    assert found.info.index == "decoded" and "cannot be decoded" in found.note
    assert len(found.pixels) == 12 and found.info.n_frames < 48


def test_a_name_that_looks_like_an_option(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-i.mp4").write_bytes(clips["constant.mp4"][0].read_bytes())
    assert probe(Path("-i.mp4")).n_frames == 48


def test_an_image_is_a_video_of_one_frame(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs Pillow, which make setup installs")
    image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    info = probe(tmp_path / "a.png")
    assert (info.n_frames, info.width, info.height, info.fps) == (1, 40, 30, 0.0)
    assert read_frames(info).pixels[0, 0, 0].tolist() == [255, 0, 0]


def test_wrong_calls(clips):
    path, _ = clips["constant.mp4"]
    with pytest.raises(DataError, match=r"has no frame 48\. It has 0 to 47"):
        read_frames(path, [48])
    with pytest.raises(UnknownNameError, match="No reader is called 'pyva'"):
        read_frames(path, reader="pyva")
    with pytest.raises(UnknownNameError, match="No frame sampler"):
        read_frames(path, "clip5clip")


NO_MOOV = "broken_no_moov.mp4 cannot be read: Invalid data found when processing input."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "refused", "n_exact", "n_by_decord"),
    [("odd", [NO_MOOV], 28, 11), ("open", [], 19, 13), ("thirdparty", [], 21, 11)],
)
def test_real_videos(real_data, folder, refused, n_exact, n_by_decord):
    """Every real file: frames equal those of plain decoding, broken ones say why, decord equal where it is chosen."""
    broken, exact, by_decord = [], 0, 0
    for path in sorted((real_data / "videos" / folder).iterdir()):
        try:
            info = probe(path)
            found = read_frames(info, Sampler("linspace", 5))
        except UnreadableVideo as error:
            broken.append(error.message)
            continue
        truth = plainly(path, found.indices, found.info.rotation)
        assert len(truth) == len(found.indices), path
        for pixels, expected in zip(found.pixels, truth, strict=True):
            np.testing.assert_array_equal(pixels, expected)
        exact += 1
        if has("decord") and not found.info.decord_unsafe and not found.info.damage:
            np.testing.assert_array_equal(read_frames(info, Sampler("linspace", 5), reader="auto").pixels, found.pixels)
            by_decord += 1
    assert broken == refused
    assert exact == n_exact and by_decord >= n_by_decord


def plainly(path, indices, rotation):
    """Frames by decoding everything in order, going on after errors; distinct presentation times only."""
    wanted, found, last, at = set(indices.tolist()), [], None, -1
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"  # what conceals damage depends on it
        container.streams.video[0].codec_context.thread_count = 1
        for packet in container.demux(video=0):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                if last is None or frame.pts > last:
                    last, at = frame.pts, at + 1
                    if at in wanted:
                        found.append(np.rot90(frame.to_ndarray(format="rgb24"), -rotation // 90))
    return found
