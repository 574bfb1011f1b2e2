// A video player that knows which frame is on the screen, and draws the text boxes of exactly that frame.
//
// Units: times are seconds; `frame` is an index in presentation order of the ORIGINAL video; `own` is an index in the
// presentation order of the source that is playing (a proxy may have other frames); corners are shares of the picture
// (0..1); everything drawn is in CSS pixels. Text from data only ever goes through textContent, title or fillText.

const PLAIN = { line: "#0d9488", label: "#0f766e" };
const MATCHED = { line: "#f59e0b", label: "#b45309" };
const LISTED = 400; // words in the list; more are counted
const SPEEDS = [0.25, 0.5, 1];
const ICONS = {
  play: "M6 3.8v12.4a.7.7 0 0 0 1.07.6l9.6-6.2a.7.7 0 0 0 0-1.2l-9.6-6.2A.7.7 0 0 0 6 3.8z",
  pause: "M5.2 3.5h2.9c.4 0 .7.3.7.7v11.6c0 .4-.3.7-.7.7H5.2a.7.7 0 0 1-.7-.7V4.2c0-.4.3-.7.7-.7zm6.7 0h2.9c.4 0 .7.3.7.7v11.6c0 .4-.3.7-.7.7h-2.9a.7.7 0 0 1-.7-.7V4.2c0-.4.3-.7.7-.7z",
  back: "M15 4.6v10.8a.6.6 0 0 1-.95.5l-7.4-5.4a.6.6 0 0 1 0-1l7.4-5.4a.6.6 0 0 1 .95.5zM4 4.2h1.7v11.6H4z",
  forward: "M5 4.6v10.8c0 .5.55.78.95.5l7.4-5.4a.6.6 0 0 0 0-1l-7.4-5.4A.6.6 0 0 0 5 4.6zm9.3-.4H16v11.6h-1.7z",
  boxes: "M3 5.2C3 4.5 3.5 4 4.2 4h11.6c.7 0 1.2.5 1.2 1.2v9.6c0 .7-.5 1.2-1.2 1.2H4.2c-.7 0-1.2-.5-1.2-1.2zm1.6.4v8.8h10.8V5.6zM6.3 7.3h5v1.5h-5zm0 3.3h7.4v1.5H6.3z",
};
const REASONS = {
  1: "loading was stopped",
  2: "it could not be fetched",
  3: "it could not be decoded",
  4: "it was not found, or this browser does not know its format",
};

const mounted = new WeakMap();

/** Streamlit components v2: called again on every rerun; the same <video> keeps playing when nothing changed. */
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const emit = (name, value) => data.emit && setTriggerValue(name, value);
  let player = mounted.get(parentElement);
  if (player) {
    player.update(data, emit);
    return;
  }
  const root = document.createElement("div");
  parentElement.appendChild(root);
  player = mount(root, data, emit);
  mounted.set(parentElement, player);
}

/** Index of the last time that is not after `seconds`; the first one if all are. */
export function frameAt(times, seconds, slack = 1e-4) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= seconds + slack) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** For every frame of a source, the frame of the original that it shows. */
export function framesOfOriginal(times, original) {
  if (times.length === original.length && times.every((time, i) => Math.abs(time - original[i]) < 0.01)) {
    return times.map((_, i) => i);
  }
  return times.map((time) => {
    const frame = frameAt(original, time);
    const next = original[frame + 1]; // another time base rounds: a time just before a frame means that frame
    return next !== undefined && next - time < 0.25 * (next - original[frame]) ? frame + 1 : frame;
  });
}

/** Seconds to seek to so that exactly frame `own` is presented: inside the frame, never on its edge. */
export function seekTime(times, own) {
  const room = own + 1 < times.length ? times[own + 1] - times[own] : 0.002;
  return times[own] + Math.min(0.001, room / 2);
}

/** First and last frame on which a track is known to stand, or null. */
function spanOf(track) {
  if (track.boxes.length) return [track.boxes[0][0], track.until ?? track.boxes[track.boxes.length - 1][0]];
  return track.span || null;
}

/**
 * The quad of a track on a frame: `read` is true where the engine read it, false between two such frames and where the
 * text is known to stand still after its last box (`until`).
 */
export function quadAt(track, frame) {
  const { boxes } = track;
  if (!boxes.length || frame < boxes[0][0]) return null;
  const final = boxes[boxes.length - 1];
  if (frame > final[0]) return frame <= (track.until ?? -1) ? { corners: final.slice(1), read: false } : null;
  let low = 0;
  let high = boxes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boxes[middle][0] <= frame) low = middle + 1;
    else high = middle;
  }
  const before = boxes[low - 1];
  if (before[0] === frame) return { corners: before.slice(1), read: true };
  const after = boxes[low];
  if (after.length !== before.length) return { corners: before.slice(1), read: false };
  const share = (frame - before[0]) / (after[0] - before[0]);
  return { corners: before.slice(1).map((value, i) => value + share * (after[i + 1] - value)), read: false };
}

/** Where a picture of some shape lies in a box under object-fit: contain. */
function contained(boxWidth, boxHeight, width, height) {
  const scale = Math.min(boxWidth / width, boxHeight / height) || 0;
  const size = { width: width * scale, height: height * scale };
  return { ...size, left: (boxWidth - size.width) / 2, top: (boxHeight - size.height) / 2 };
}

function element(name, className, parent, attributes = {}) {
  const node = document.createElement(name);
  node.className = className;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (parent) parent.appendChild(node);
  return node;
}

function icon(button, name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  picture.setAttribute("viewBox", "0 0 20 20");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  picture.appendChild(path);
  button.replaceChildren(picture);
}

function iconButton(parent, name, label, act) {
  const button = element("button", "wbp-button", parent, { type: "button", "aria-label": label, title: label });
  icon(button, name);
  button.onclick = act;
  return button;
}

const starred = (track) => (track.matched ? `★ ${track.text}` : track.text);
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** The fixed parts of the player; what depends on data is filled in later. */
function build(root) {
  root.replaceChildren();
  root.classList.add("wbp");
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  const head = element("div", "wbp-head", root);
  const stage = element("div", "wbp-stage", root);
  const video = element("video", "wbp-video", stage, { playsinline: "", preload: "auto", tabindex: "-1" });
  const canvas = element("canvas", "wbp-canvas", stage, { "aria-hidden": "true" });
  const failure = element("div", "wbp-failure", stage, { role: "alert" });
  const bar = element("div", "wbp-bar", root);
  const controls = element("div", "wbp-controls", bar);
  const scrub = element("div", "wbp-scrub", bar);
  const now = element("div", "wbp-now", root, { "aria-label": "words on screen now" });
  const all = element("details", "wbp-all", root);
  return {
    root, stage, video, canvas, failure, bar, controls, now, all,
    title: element("div", "wbp-title", head, { dir: "auto" }),
    sub: element("div", "wbp-sub", head, { dir: "auto" }),
    lanes: element("canvas", "wbp-lanes", scrub, { "aria-hidden": "true" }),
    ticks: element("div", "wbp-ticks", scrub),
    range: element("input", "wbp-range", scrub, { type: "range", min: "0", step: "1", "aria-label": "frame" }),
    summary: element("summary", "", all),
    words: element("div", "wbp-words", all),
    note: element("div", "wbp-note", root, { role: "status" }),
  };
}

/** Put a player into `root`; `emit(name, value)` hears of deliberate seeks. */
export function mount(root, data, emit = () => {}) {
  const parts = build(root);
  const { video, canvas } = parts;
  const pen = canvas.getContext("2d");
  const exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
  const state = {
    data: null, text: "", source: 0, own: 0, frame: 0, mediaTime: 0, tracks: [], chips: [], visible: "",
    times: [], toOriginal: [], // of the source that plays
    shift: null, // seconds that this browser adds to the source's times; null until its first frame came
    target: null, wanted: null, // own frame being sought, and the one to seek after that
    beyond: null, // own frame that was sought but lay behind the end that the browser knew
    boxes: true, speed: 1, presented: false, notes: new Map(), timer: 0, callback: 0,
  };

  // ---- time and frames -------------------------------------------------------------------------------------------

  /** Some browsers start a file at 0 whatever its first time stamp is; its first presented frame tells. */
  function calibrate(mediaTime) {
    const { times } = state;
    const known = times.length && Math.abs(times[frameAt(times, mediaTime, 2e-3)] - mediaTime) <= 2e-3;
    state.shift = times.length && !known ? mediaTime - times[0] : 0;
  }

  function begin() {
    const { start = 0, autoplay = false } = state.data;
    const { frame_times: frames } = state.data;
    if (start > 0 && frames.length && frameAt(frames, start) > 0) seekFrame(frameAt(frames, start));
    if (autoplay) play();
  }

  function presentedAt(mediaTime) {
    const first = state.shift === null;
    if (first) calibrate(mediaTime);
    state.presented = true;
    state.mediaTime = mediaTime;
    state.own = frameAt(state.times, mediaTime - state.shift);
    state.frame = state.toOriginal[state.own] ?? 0;
    if (state.own === state.target || !video.paused) state.target = null;
    draw();
    if (first) begin();
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
    draw();
    clearTimeout(state.timer);
    state.timer = setTimeout(afterSeek, 250);
  }

  /** A seek inside the presented frame may present nothing new; until here a step counts from the frame sought. */
  function afterSeek() {
    if (video.seeking) return;
    state.target = null;
    if (!state.presented && video.readyState >= 2) presentedAt(video.currentTime);
    else draw();
  }

  function step(by) {
    video.pause();
    seekOwn((state.wanted ?? state.target ?? state.own) + by);
  }

  function jump(frame) {
    seekFrame(frame);
    emit("seek", { frame, time: state.data.frame_times[frame] ?? 0 });
  }

  function play() {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") say("play", "The browser waits for a click before it plays.");
    });
  }

  const toggle = () => (video.paused ? play() : video.pause());

  // ---- sources ---------------------------------------------------------------------------------------------------

  function load(index) {
    const source = state.data.sources[index];
    const frames = state.data.frame_times;
    state.source = index;
    state.times = source.times && source.times.length ? source.times : frames;
    state.toOriginal = frames.length ? framesOfOriginal(state.times, frames) : state.times.map((_, i) => i);
    Object.assign(state, { shift: null, target: null, wanted: null, beyond: null, presented: false, own: 0, frame: 0 });
    root.dataset.rendition = source.rendition || "";
    delete root.dataset.ready;
    parts.failure.textContent = "";
    video.src = source.src;
    video.playbackRate = state.speed;
  }

  function onFailure(reason) {
    const { sources } = state.data;
    const failed = sources[state.source];
    const next = sources[state.source + 1];
    if (!next) {
      root.dataset.failed = "true";
      pen.clearRect(0, 0, canvas.width, canvas.height);
      parts.failure.textContent = `This browser cannot play the video: ${reason}.`;
      return;
    }
    say("source", `This is the ${next.rendition || "next"} file; the ${failed.rendition || "first"} one does not play here: ${reason}.`);
    load(state.source + 1);
  }

  function say(topic, text) {
    if (text) state.notes.set(topic, text);
    else state.notes.delete(topic);
    parts.note.textContent = [...state.notes.values()].join(" ");
  }

  // ---- drawing ---------------------------------------------------------------------------------------------------

  function pictureRect() {
    const { width, height } = state.data;
    const { clientWidth, clientHeight } = canvas;
    return contained(clientWidth, clientHeight, video.videoWidth || width || 16, video.videoHeight || height || 9);
  }

  function draw() {
    if (!state.data) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== high) canvas.height = high;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (state.shift === null) return;
    if (state.boxes) drawBoxes();
    drawWords();
    drawPlace();
    root.dataset.frame = String(state.frame);
    root.dataset.ready = "true";
    const detail = { frame: state.frame, mediaTime: state.mediaTime };
    root.dispatchEvent(new CustomEvent("player:frame", { bubbles: true, composed: true, detail }));
  }

  function drawBoxes() {
    const area = pictureRect();
    const shown = [];
    for (const track of state.tracks) {
      const quad = quadAt(track, state.frame);
      if (!quad) continue;
      const points = [];
      for (let i = 0; i + 1 < quad.corners.length; i += 2) {
        points.push([area.left + quad.corners[i] * area.width, area.top + quad.corners[i + 1] * area.height]);
      }
      shown.push({ track, points, read: quad.read });
    }
    shown.sort((one, other) => Number(one.track.matched) - Number(other.track.matched)); // matched ones on top
    shown.forEach(drawQuad);
    const taken = [];
    shown.reverse().forEach((one) => drawLabel(one, area, taken)); // and they choose their place first
  }

  function drawQuad({ track, points, read }) {
    const thin = track.score !== null && track.score < 0.5;
    const width = (track.matched ? 5 : 2.25) * (thin ? 0.55 : 1);
    const colour = (track.matched ? MATCHED : PLAIN).line;
    pen.lineJoin = "round";
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    const stroke = (style, wide, dash) => {
      pen.setLineDash(dash);
      pen.strokeStyle = style;
      pen.lineWidth = wide;
      pen.stroke();
    };
    const dash = read ? [] : track.matched ? [14, 7] : [7, 5];
    stroke("rgba(255, 255, 255, .8)", width + 1.5, dash); // a light rim, so that it stands on dark pictures as well
    stroke(colour, width, dash);
    if (track.matched) stroke("#fff", width * 0.28, dash); // the light core makes it a double line
  }

  function drawLabel({ track, points }, area, taken) {
    const size = Math.max(10, Math.min(13, area.height / 24));
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const text = shortened(starred(track), 40);
    const box = { width: Math.min(pen.measureText(text).width + 10, area.width), height: size + 7 };
    const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
    box.left = Math.max(area.left, Math.min(Math.min(...xs) - 2, area.left + area.width - box.width));
    const gap = track.matched ? 5 : 3;
    const places = [Math.min(...ys) - box.height - gap, Math.max(...ys) + gap];
    const inside = places.filter((top) => top >= area.top && top + box.height <= area.top + area.height);
    const meets = (top) => taken.some((other) => box.left < other.left + other.width && other.left < box.left + box.width
      && top < other.top + other.height && other.top < top + box.height);
    box.top = inside.find((top) => !meets(top)) ?? inside[0] ?? Math.max(area.top, Math.min(...ys));
    taken.push(box);
    pen.setLineDash([]);
    pen.fillStyle = (track.matched ? MATCHED : PLAIN).label;
    pen.beginPath();
    pen.roundRect(box.left, box.top, box.width, box.height, 4);
    pen.fill();
    pen.fillStyle = "#fff";
    pen.textBaseline = "middle";
    pen.fillText(text, box.left + 5, box.top + box.height / 2 + 0.5, box.width - 10);
  }

  function drawPlace() {
    const { frame_times: frames } = state.data;
    const seconds = frames[state.frame] ?? state.mediaTime;
    parts.time.replaceChildren();
    element("b", "", parts.time).textContent = `${seconds.toFixed(2)} s`;
    element("span", "", parts.time).textContent = `frame ${state.frame} / ${frames.length}`;
    if (state.target === null && state.wanted === null) parts.range.value = String(state.frame);
    parts.range.setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds, frame ${state.frame} of ${frames.length}`);
    const share = frames.length > 1 ? Number(parts.range.value) / (frames.length - 1) : 0;
    parts.range.style.setProperty("--share", String(share));
  }

  /** Coloured lanes under the scrub bar: matched words above (taller), other words below. */
  function drawLanes() {
    const { lanes } = parts;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [lanes.clientWidth, lanes.clientHeight];
    lanes.width = Math.round(wide * ratio);
    lanes.height = Math.round(high * ratio);
    const brush = lanes.getContext("2d");
    brush.scale(ratio, ratio);
    const last = Math.max(1, state.data.frame_times.length - 1);
    for (const track of state.tracks) {
      const span = spanOf(track);
      if (!span) continue;
      const x = ((span[0] - 0.5) / last) * wide; // a frame lies around the place that the thumb has on it
      brush.fillStyle = (track.matched ? MATCHED : PLAIN).line;
      brush.fillRect(x, track.matched ? 0 : high - 3, Math.max(2, ((span[1] + 0.5) / last) * wide - x), track.matched ? 4 : 3);
    }
  }

  // ---- words -----------------------------------------------------------------------------------------------------

  function chip(parent, entry, act) {
    const button = element("button", entry.matched ? "wbp-chip wbp-matched" : "wbp-chip", parent, { type: "button", dir: "auto" });
    button.textContent = shortened(starred(entry), 60) + (entry.tracks.length > 1 ? ` ×${entry.tracks.length}` : "");
    const [track] = entry.tracks;
    const score = track.score === null ? "" : `, score ${track.score.toFixed(2)}`;
    const from = entry.first === null ? "time not known" : `from frame ${entry.first}`;
    button.title = `${entry.text}\n${track.engine}${score}; ${from}`;
    button.disabled = entry.first === null;
    button.onclick = act;
    return button;
  }

  /** Tracks of the same word as one entry, matched ones first, then in the order of their first frame. */
  function entriesOf(tracks) {
    const entries = new Map();
    for (const track of tracks) {
      const name = `${track.matched}|${track.text}`;
      if (!entries.has(name)) entries.set(name, { text: track.text, matched: track.matched, tracks: [], first: null });
      const entry = entries.get(name);
      const span = spanOf(track);
      entry.tracks.push(track);
      if (span && (entry.first === null || span[0] < entry.first)) entry.first = span[0];
    }
    const place = (entry) => (entry.first === null ? Infinity : entry.first);
    return [...entries.values()].sort((one, other) => Number(other.matched) - Number(one.matched) || place(one) - place(other));
  }

  function listWords() {
    const entries = entriesOf(state.tracks);
    parts.words.replaceChildren();
    parts.summary.textContent = `All words (${entries.length})`;
    parts.all.hidden = !entries.length;
    parts.now.hidden = !entries.length;
    state.chips = entries.slice(0, LISTED).map((entry) => ({ entry, node: chip(parts.words, entry, () => jump(entry.first)) }));
    if (entries.length > LISTED) element("span", "wbp-more", parts.words).textContent = `and ${entries.length - LISTED} more`;
    state.visible = null;
  }

  function drawWords() {
    const stands = (track) => {
      const span = spanOf(track);
      return span && span[0] <= state.frame && state.frame <= span[1];
    };
    const visible = state.tracks.filter(stands);
    const name = visible.map((track) => track.number).join();
    if (name === state.visible) return;
    state.visible = name;
    parts.now.replaceChildren();
    for (const entry of entriesOf(visible)) chip(parts.now, entry, () => jump(entry.first));
    if (!visible.length) element("span", "wbp-more", parts.now).textContent = "no known word on this frame";
    const texts = new Set(visible.map((track) => `${track.matched}|${track.text}`));
    for (const { entry, node } of state.chips) node.classList.toggle("wbp-lit", texts.has(`${entry.matched}|${entry.text}`));
  }

  // ---- controls --------------------------------------------------------------------------------------------------

  function showBoxes(on) {
    state.boxes = on;
    parts.boxes.setAttribute("aria-pressed", String(on));
    draw();
  }

  function setSpeed(speed) {
    state.speed = speed;
    video.playbackRate = speed;
    for (const button of parts.speeds.children) button.setAttribute("aria-pressed", String(Number(button.value) === speed));
  }

  function fillControls() {
    const { controls } = parts;
    parts.play = iconButton(controls, "play", "Play", toggle);
    parts.back = iconButton(controls, "back", "One frame back", () => step(-1));
    parts.forward = iconButton(controls, "forward", "One frame forward", () => step(1));
    parts.boxes = iconButton(controls, "boxes", "Boxes on or off (b)", () => showBoxes(!state.boxes));
    parts.speeds = element("div", "wbp-speeds", controls, { role: "group", "aria-label": "speed" });
    for (const speed of SPEEDS) {
      const button = element("button", "", parts.speeds, { type: "button", value: String(speed), "aria-label": `${speed} times speed` });
      button.textContent = `${speed}×`;
      button.onclick = () => setSpeed(speed);
    }
    parts.time = element("div", "wbp-time", controls, { title: "frames are counted from 0" });
    parts.boxes.setAttribute("aria-pressed", "true");
    setSpeed(1);
  }

  function showPlaying() {
    const playing = !video.paused && !video.ended;
    root.dataset.playing = String(playing);
    icon(parts.play, playing ? "pause" : "play");
    parts.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    parts.play.title = playing ? "Pause (space)" : "Play (space)";
    if (!playing) return;
    video.loop = state.data.loop ?? true;
    say("play", "");
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = event.composedPath()[0];
    const pressing = own.tagName === "BUTTON" || own.tagName === "SUMMARY";
    const acts = {
      " ": pressing ? null : toggle,
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      Home: () => { video.pause(); seekOwn(0); },
      End: () => { video.pause(); seekOwn(state.times.length - 1); },
      b: () => showBoxes(!state.boxes),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  function fillTicks() {
    parts.ticks.replaceChildren();
    const last = Math.max(1, state.data.frame_times.length - 1);
    for (const { frame, label } of state.data.ticks || []) {
      const text = `${label} (frame ${frame})`;
      const tick = element("button", "wbp-tick", parts.ticks, { type: "button", tabindex: "-1", title: text, "aria-label": text });
      tick.style.left = `${(100 * frame) / last}%`;
      tick.onclick = () => jump(frame);
    }
  }

  // ---- life ------------------------------------------------------------------------------------------------------

  function update(fresh, listener) {
    if (listener) emit = listener;
    const text = JSON.stringify(fresh);
    if (text === state.text) return;
    const name = (one) => JSON.stringify([one.key, one.sources, one.frame_times, one.start]);
    const reload = !state.data || name(state.data) !== name(fresh);
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
    fillTicks();
    drawLanes();
    listWords();
    if (reload) open();
    else draw();
  }

  function open() {
    delete root.dataset.failed;
    say("source", "");
    say("exact", exact ? "" : "This browser does not tell which frame it shows; boxes may be one frame off.");
    if (state.data.sources.length) load(0);
    else parts.failure.textContent = "There is no video file to play.";
  }

  function destroy() {
    if (exact) video.cancelVideoFrameCallback(state.callback);
    else cancelAnimationFrame(state.callback);
    clearTimeout(state.timer);
    watcher.disconnect();
    root.removeEventListener("keydown", onKey);
    video.onerror = null;
    video.pause();
    video.removeAttribute("src");
    video.load();
    root.replaceChildren();
  }

  fillControls();
  root.dataset.playing = "false";
  root.addEventListener("keydown", onKey);
  video.onplay = showPlaying;
  video.onpause = showPlaying;
  video.onended = showPlaying;
  video.onclick = toggle;
  video.onseeking = () => { state.presented = false; };
  video.onseeked = onSeeked;
  video.ondurationchange = onLonger;
  video.onloadeddata = () => {
    if (!video.videoWidth) onFailure("it holds no picture that can be decoded here");
    else draw();
  };
  video.onerror = () => onFailure((video.error && REASONS[video.error.code]) || "the reason is not known");
  let resume = false;
  parts.range.onpointerdown = () => { resume = !video.paused; video.pause(); };
  parts.range.onpointerup = () => { if (resume) play(); resume = false; };
  parts.range.oninput = () => { seekFrame(Number(parts.range.value)); };
  parts.range.onchange = () => emit("seek", { frame: Number(parts.range.value), time: state.data.frame_times[parts.range.value] ?? 0 });
  const watcher = new ResizeObserver(() => { if (state.data) { drawLanes(); draw(); } });
  watcher.observe(parts.stage);
  watcher.observe(parts.lanes);
  update(data);
  if (exact) state.callback = video.requestVideoFrameCallback(onVideoFrame);
  else state.callback = requestAnimationFrame(onRefresh);

  return { update, destroy, frame: () => state.frame };
}
