// Time and frames: seeks that end on exactly one frame, and what the browser says it presents.

function seeking(player) {
  const { state, video } = player;

  /** Some browsers start a file at 0 whatever its first time stamp is; its first presented frame tells. */
  function calibrate(mediaTime) {
    const { times } = state;
    const known = times.length && Math.abs(times[frameAt(times, mediaTime, 2e-3)] - mediaTime) <= 2e-3;
    state.shift = times.length && !known ? mediaTime - times[0] : 0;
  }

  function begin() {
    const { start = 0, autoplay = false, frame_times: frames } = state.data;
    const first = start > 0 && frames.length ? frameAt(frames, start, STAMP) : 0;
    const { frame, playing } = state.goOn ?? { frame: first, playing: autoplay };
    state.goOn = null;
    if (frame > 0) seekFrame(frame);
    player.look.beginAt(frame);
    if (playing) play();
    player.catchUp();
  }

  function presentedAt(mediaTime) {
    const first = state.shift === null;
    if (first) calibrate(mediaTime);
    state.presented = true;
    state.mediaTime = mediaTime;
    state.own = frameAt(state.times, mediaTime - state.shift);
    state.frame = state.toOriginal[state.own] ?? 0;
    if (state.own === state.target || !video.paused) state.target = null;
    player.draw();
    if (first) begin();
    else player.showThere();
    if (video.paused) player.look.changed();
  }

  function onVideoFrame(_, meta) {
    state.callback = video.requestVideoFrameCallback(onVideoFrame);
    presentedAt(meta.mediaTime);
  }

  /** Without requestVideoFrameCallback: the clock, once per screen refresh. */
  function onRefresh() {
    state.callback = requestAnimationFrame(onRefresh);
    if (video.readyState < 2 || video.seeking) return;
    if (state.shift === null) {
      state.shift = 0;
      presentedAt(video.currentTime);
      begin();
    } else if (video.currentTime !== state.mediaTime) presentedAt(video.currentTime);
  }

  function seekOwn(own) {
    if (!state.times.length) return;
    player.look.touch();
    const clamped = Math.max(0, Math.min(state.times.length - 1, own));
    if (state.shift === null || video.seeking) {
      state.wanted = clamped;
      return;
    }
    const seconds = Math.max(0, seekTime(state.times, clamped) + state.shift);
    state.target = clamped;
    state.wanted = null; // a press between the end of a seek and its event would leave an older wish behind
    if (video.paused) video.loop = false; // else a seek to the end turns into one to the start
    state.beyond = seconds > video.duration ? clamped : null;
    video.currentTime = seconds;
  }

  /** Files that start late are longer than browsers first think: go on to the frame that lay behind the end. */
  function onLonger() {
    if (state.beyond !== null && video.paused) seekOwn(state.beyond);
  }

  /** Seek to a frame of the original; the source shows the last of its frames that is not after it. */
  function seekFrame(frame) {
    seekOwn(frameAt(state.toOriginal, frame, 0));
  }

  function onSeeked() {
    const { wanted } = state;
    if (wanted !== null) {
      state.wanted = null;
      seekOwn(wanted);
      return;
    }
    player.draw();
    clearTimeout(state.timer);
    state.timer = setTimeout(afterSeek, 250);
  }

  /** A seek inside the presented frame may present nothing new; until here a step counts from the frame sought. */
  function afterSeek() {
    if (video.seeking) return;
    state.target = null;
    if (!state.presented && video.readyState >= 2) presentedAt(video.currentTime);
    else player.draw();
  }

  function step(by) {
    video.pause();
    player.lead();
    seekOwn((state.wanted ?? state.target ?? state.own) + by);
  }

  /** The frame at a time of the original, asked for from outside, e.g. by a cell of the token map. */
  function jumpTo(seconds) {
    video.pause();
    player.lead();
    seekFrame(frameAt(state.data.frame_times, seconds, STAMP));
  }

  function jump(frame) {
    player.lead();
    seekFrame(frame);
  }

  function play() {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") player.say("play", "The browser waits for a click before it plays.");
    });
  }

  Object.assign(player, {
    onVideoFrame, onRefresh, seekOwn, seekFrame, onSeeked, onLonger, step, jump, jumpTo, play,
  });
}
