"""Layer 1: videos to frames. Probe, choose frames, decode exactly those, transcode."""

from workbench.video.probe import VideoInfo, probe
from workbench.video.readers import READERS, Frames, read_frames
from workbench.video.sampling import SAMPLERS, sample_frames

__all__ = ["READERS", "SAMPLERS", "Frames", "VideoInfo", "probe", "read_frames", "sample_frames"]
