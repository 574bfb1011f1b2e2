// Files of one video: each is tried until one plays; the others are a click away.

const REASONS = {
  1: "loading was stopped",
  2: "it could not be fetched",
  3: "it could not be decoded",
  4: "it was not found, or this browser does not know its format",
};
const PATIENCE = 500; // milliseconds until a wait is told
const WAITING = { proxy: "The small file is being made; it plays as soon as it is ready." };
const FILES = { original: "The file as it is: full size", proxy: "A small file with the same frames: loads fast" };

function sources(player) {
  const { root, parts, state, video, canvas } = player;

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
    state.tried.add(index);
    arrived();
    state.waiting = setTimeout(tellWait, PATIENCE, source.rendition);
    for (const button of parts.files.children) button.setAttribute("aria-pressed", String(Number(button.value) === index));
  }

  /** A file that lets one wait is being made or fetched: say so, over the picture of the video where there is one. */
  function tellWait(rendition) {
    say("wait", WAITING[rendition] || "The video is loading …");
    if (!state.data.poster) return;
    parts.poster.onload = () => { parts.poster.hidden = !state.waiting; };
    parts.poster.src = state.data.poster;
  }

  /** The file stands, or another one is tried. */
  function arrived() {
    clearTimeout(state.waiting);
    state.waiting = 0;
    parts.poster.hidden = true;
    say("wait", "");
  }

  /** Another file of the same video: it goes on at the same frame of the original. */
  function choose(index) {
    if (index === state.source) return;
    state.goOn = { frame: state.frame, playing: !video.paused };
    state.tried.clear();
    delete root.dataset.failed;
    player.say("source", "");
    load(index);
  }

  function fillFiles() {
    parts.files.replaceChildren();
    parts.files.hidden = state.data.sources.length < 2;
    state.data.sources.forEach(({ rendition }, index) => {
      const button = element("button", "", parts.files, { type: "button", value: String(index), title: FILES[rendition] || "" });
      button.textContent = rendition || `file ${index + 1}`;
      button.onclick = () => choose(index);
    });
  }

  function onFailure(reason) {
    const { sources } = state.data;
    const failed = sources[state.source];
    const place = sources.findIndex((_, index) => !state.tried.has(index));
    const next = sources[place];
    if (!next) {
      arrived();
      root.dataset.failed = "true";
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      parts.failure.textContent = `This browser cannot play the video: ${reason}.`;
      return;
    }
    say("source", `This is the ${next.rendition || "next"} file; the ${failed.rendition || "first"} one does not play here: ${reason}.`);
    load(place);
  }

  function say(topic, text) {
    if (text) state.notes.set(topic, text);
    else state.notes.delete(topic);
    parts.note.textContent = [...state.notes.values()].join(" ");
  }

  Object.assign(player, { arrived, load, fillFiles, onFailure, say });
}
