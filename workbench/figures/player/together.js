// Players of one group that move together: one of them leads, the others show the same place of their own video.
//
// The place of a frame is its share of the video, or its seconds since the first frame; a follower seeks to the frame
// that stands there, so every picture stays exact to its own frames. Players of a group may lie in different modules
// (Streamlit loads one per component), so that groups are kept at the window.

const GROUPS = Symbol.for("workbench.players");
const PLACES = { share: "by share of the length", seconds: "by seconds from the start" };

function groupOf(name) {
  const groups = (globalThis[GROUPS] ??= new Map());
  if (!groups.has(name)) groups.set(name, { on: false, by: "share", leader: null, members: new Set() });
  return groups.get(name);
}

/** Seconds from the first frame to the last. */
const lengthOf = (times) => (times.length ? times[times.length - 1] - times[0] : 0);

/** Frame of one video that stands where `frame` of another one stands. */
export function sameFrame(frame, times, others, by) {
  const since = (times[frame] ?? 0) - (times[0] ?? 0);
  const place = by === "share" ? (since / (lengthOf(times) || 1)) * lengthOf(others) : since;
  return frameAt(others, (others[0] ?? 0) + place);
}

function together(player) {
  const { root, parts, state, video } = player;
  const times = () => state.data.frame_times;
  let group = null;

  /** The other players of the group that still stand on the page and have shown a frame. */
  function others() {
    for (const one of [...group.members]) if (!one.root.isConnected) group.members.delete(one);
    return [...group.members].filter((one) => one !== player && one.state.data);
  }

  const yoked = () => Boolean(group && group.on && others().length);

  function join(name) {
    const next = name ? groupOf(name) : null;
    if (group && group !== next) {
      group.members.delete(player);
      if (group.leader === player) group.leader = null;
    }
    group = next;
    if (!group) return;
    group.members.add(player);
    setTimeout(showGroup, 0); // the other players of a page come in the same moment
  }

  function showGroup() {
    if (!group) return;
    const all = [player, ...others()];
    for (const one of all) one.showTogether(group, all.length > 1);
  }

  function showTogether({ on, by }, several) {
    parts.together.hidden = !several;
    parts.together.setAttribute("aria-pressed", String(Boolean(on)));
    parts.places.hidden = !several || !on;
    for (const button of parts.places.children) button.setAttribute("aria-pressed", String(button.value === by));
    root.dataset.together = String(Boolean(several && on));
  }

  /** Switch it on or off, or change what a place is; from here on the others follow this player. */
  function setTogether(on, by) {
    if (!group) return;
    Object.assign(group, { on, by });
    showGroup();
    if (on) for (const one of others()) one.setSpeed(state.speed, false);
    lead();
    if (!on || video.paused) showThere();
    else if (yoked()) playAll();
    player.look.changed();
  }

  /** "" = each by itself, else what a place is; an unknown word is none. */
  function putTogether(by) {
    if (!group) return;
    Object.assign(group, Object.hasOwn(PLACES, by) ? { on: true, by } : { on: false });
    showGroup();
  }

  const togetherBy = () => (group?.on ? group.by : "");

  /** The user has moved this player: the others follow it. */
  function lead() {
    if (yoked()) group.leader = player;
  }

  /** A frame was presented: where this player leads, the others go to its place. */
  function showThere() {
    if (!yoked() || group.leader !== player) return;
    for (const one of others()) {
      if (video.paused) one.follow(sameFrame(state.frame, times(), one.state.data.frame_times, group.by));
      else steer(one);
    }
  }

  /** Show a frame that another player leads to. */
  function follow(frame) {
    if (state.shift === null) return; // it asks by itself when its first frame has come
    if (!video.paused) video.pause();
    const own = frameAt(state.toOriginal, frame, 0);
    if ((state.wanted ?? state.target ?? state.own) !== own) player.seekOwn(own);
  }

  function rateOf(one) {
    const ratio = group.by === "share" ? lengthOf(one.state.data.frame_times) / (lengthOf(times()) || 1) : 1;
    return Math.min(8, Math.max(0.07, state.speed * ratio));
  }

  /** While it plays: a follower that is a little off plays a little faster or slower, one that is far off seeks. */
  function steer(one) {
    const theirs = one.state.data.frame_times;
    const [due, shown] = [theirs[sameFrame(state.frame, times(), theirs, group.by)], theirs[one.state.frame]];
    const off = due - shown;
    if (Math.abs(off) > 0.4) {
      if (!one.video.seeking) one.seekFrame(frameAt(theirs, due));
    } else if (one.video.paused && !one.video.ended) one.play();
    const rate = rateOf(one) * (1 + Math.min(0.5, Math.max(-0.5, 1.5 * off)));
    if (Math.abs(one.video.playbackRate - rate) > 0.02) one.video.playbackRate = rate;
  }

  function playAll() {
    const all = [player, ...others()];
    const length = (one) => lengthOf(one.state.data.frame_times);
    group.leader = group.by === "share" ? player : all.reduce((long, one) => (length(one) > length(long) ? one : long));
    for (const one of all) {
      one.video.playbackRate = state.speed;
      one.play();
    }
  }

  /** Play or pause, alone or with the others. */
  function toggle() {
    if (!yoked()) return video.paused ? player.play() : video.pause();
    const all = [player, ...others()];
    if (all.every((one) => one.video.paused)) return playAll();
    for (const one of all) one.video.pause();
    return undefined;
  }

  /** Whether this player repeats by itself: not where another one leads, which takes it along to the start. */
  const repeats = () => (state.data.loop ?? true) && !(yoked() && group.leader && group.leader !== player);

  function fillTogether(bar) {
    parts.together = iconButton(bar, "together", "Move the videos together (t)", () => setTogether(!group.on, group.by));
    parts.places = element("div", "wbp-choice", bar, { role: "group", "aria-label": "what together means" });
    for (const [name, title] of Object.entries(PLACES)) {
      const button = element("button", "", parts.places, { type: "button", value: name, title, "aria-label": `together ${title}` });
      button.textContent = name;
      button.onclick = () => setTogether(group.on, name);
    }
    parts.together.hidden = true;
    parts.places.hidden = true;
  }

  /** A key of the keyboard: with the others, or nothing where there are none. */
  const switchTogether = () => { if (group && others().length) setTogether(!group.on, group.by); };
  const leave = () => join("");
  const speedUp = (speed) => { if (yoked()) for (const one of others()) one.setSpeed(speed, false); };

  /** A player that comes late goes where the leader stands. */
  function catchUp() {
    const leader = yoked() ? group.leader : null;
    if (leader && leader !== player && leader.root.isConnected && leader.video.paused) leader.showThere();
  }

  Object.assign(player, {
    join, leave, lead, follow, showThere, toggle, repeats, fillTogether, showTogether, switchTogether, speedUp, catchUp,
    putTogether, togetherBy,
  });
}
