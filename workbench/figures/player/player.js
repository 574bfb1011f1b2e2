// A video player that knows which frame is on the screen, and draws the text boxes of exactly that frame.

/** Put a player into `root`; `emit("look", {t, speed, boxes, together})` hears which of these the viewer has set anew. */
export function mount(root, data, emit = () => {}) {
  const parts = build(root);
  const { video, canvas } = parts;
  const exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
  const state = {
    data: null, text: "", source: 0, own: 0, frame: 0, mediaTime: 0, tracks: [], chips: [], visible: "",
    times: [], toOriginal: [], // of the source that plays
    shift: null, // seconds that this browser adds to the source's times; null until its first frame came
    target: null, wanted: null, // own frame being sought, and the one to seek after that
    beyond: null, // own frame that was sought but lay behind the end that the browser knew
    tried: new Set(), // numbers of the sources that were loaded for this video
    goOn: null, // {frame, playing} for the next file of the same video
    boxes: true, speed: 1, presented: false, notes: new Map(), timer: 0, waiting: 0, callback: 0,
  };
  const player = { root, parts, state, video, canvas, emit };
  for (const part of [seeking, sources, boxes, words, together, look, controls]) part(player);

  function update(fresh, listener) {
    if (listener) player.emit = listener;
    const text = JSON.stringify(fresh);
    if (text === state.text) return;
    const before = state.data;
    const name = (one) => JSON.stringify([one.key, one.sources, one.frame_times]);
    const reload = !before || name(before) !== name(fresh) || player.look.asksForSecond(fresh, before);
    state.text = text;
    state.data = { ...fresh, frame_times: fresh.frame_times || [], sources: fresh.sources || [] };
    state.tracks = (fresh.tracks || []).map((track, number) => ({
      ...track, number, text: String(track.text), boxes: track.boxes || [], score: track.score ?? null, matched: Boolean(track.matched),
    }));
    root.classList.toggle("wbp-compact", Boolean(fresh.compact));
    root.setAttribute("aria-label", `Video player: ${fresh.title || fresh.key || "video"}`);
    root.style.setProperty("--shape", String((fresh.width || 16) / (fresh.height || 9)));
    parts.title.textContent = fresh.title || "";
    parts.sub.textContent = fresh.sub || "";
    parts.range.max = String(Math.max(0, state.data.frame_times.length - 1));
    video.loop = fresh.loop ?? true;
    video.muted = fresh.muted ?? true;
    player.fillTicks();
    player.drawLanes();
    player.listWords();
    player.join(fresh.group || "");
    if (reload) player.look.forget();
    player.look.take(fresh, before);
    if (reload) open();
    else player.draw();
  }

  function open() {
    delete root.dataset.failed;
    state.tried.clear();
    state.goOn = null;
    player.fillFiles();
    player.say("source", "");
    player.say("exact", exact ? "" : "This browser does not tell which frame it shows; boxes may be one frame off.");
    if (state.data.sources.length) player.load(0);
    else parts.failure.textContent = "There is no video file to play.";
  }

  function destroy() {
    if (exact) video.cancelVideoFrameCallback(state.callback);
    else cancelAnimationFrame(state.callback);
    clearTimeout(state.timer);
    player.arrived();
    watcher.disconnect();
    root.removeEventListener("keydown", player.onKey);
    document.removeEventListener("workbench:seek", onAsked);
    player.leave();
    video.onerror = null;
    video.pause();
    video.removeAttribute("src");
    video.load();
    root.replaceChildren();
  }

  /** Other parts of the page ask by an event: {key, seconds}. */
  function onAsked({ detail }) {
    if (!root.isConnected) document.removeEventListener("workbench:seek", onAsked);
    else if (detail.key === state.data.key) player.jumpTo(detail.seconds);
  }

  player.fillControls();
  root.dataset.playing = "false";
  root.addEventListener("keydown", player.onKey);
  document.addEventListener("workbench:seek", onAsked);
  video.onplay = () => { player.look.touch(); player.showPlaying(); };
  video.onpause = player.showPlaying;
  video.onended = player.showPlaying;
  video.onclick = player.toggle;
  video.onseeking = () => { state.presented = false; };
  video.onseeked = player.onSeeked;
  video.ondurationchange = player.onLonger;
  video.onloadeddata = () => {
    if (!video.videoWidth) player.onFailure("it holds no picture that can be decoded here");
    else player.draw();
    player.arrived();
  };
  video.onerror = () => player.onFailure((video.error && REASONS[video.error.code]) || "the reason is not known");
  let resume = false;
  parts.range.onpointerdown = () => { resume = !video.paused; video.pause(); };
  parts.range.onpointerup = () => { if (resume) player.play(); resume = false; };
  parts.range.oninput = () => { player.lead(); player.seekFrame(Number(parts.range.value)); };
  const watcher = new ResizeObserver(() => { if (state.data) { player.drawLanes(); player.draw(); } });
  watcher.observe(parts.stage);
  watcher.observe(parts.lanes);
  update(data);
  if (exact) state.callback = video.requestVideoFrameCallback(player.onVideoFrame);
  else state.callback = requestAnimationFrame(player.onRefresh);

  return { update, destroy, frame: () => state.frame };
}
