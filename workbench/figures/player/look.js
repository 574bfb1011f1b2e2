// What a viewer has set: the second of a picture at rest, speed, boxes, moving together. It is told once it rests.
// Data that bring back what was told change nothing here, as the viewer may have gone on meanwhile.

const REST = 400; // milliseconds

function look(player) {
  const { state, video } = player;
  let told = {}, begun = null, timer = 0;

  function now() {
    const moved = video.paused && state.shift !== null && (told.t !== undefined || state.frame !== begun);
    return {
      t: moved && begun !== null ? state.data.frame_times[state.frame] : told.t,
      speed: state.speed, boxes: state.boxes, together: player.togetherBy(),
    };
  }

  /** The frame at which a video begins is no choice of the viewer. */
  function beginAt(frame) {
    if (begun !== null) return; // another file of the same video
    begun = frame;
    told = { ...now(), t: undefined };
  }

  function changed() {
    clearTimeout(timer);
    if (begun !== null) timer = setTimeout(tell, REST);
  }

  function tell() {
    const fresh = now();
    if (!player.root.isConnected || JSON.stringify(fresh) === JSON.stringify(told)) return;
    told = fresh;
    player.emit("look", fresh);
  }

  /** Whether data ask for another second than those that stood and those that were told. */
  const asksForSecond = (fresh, before) => fresh.start !== before.start && fresh.start !== told.t;

  /** What data ask for that they did not ask for before. */
  function take(fresh, before) {
    const asked = (name, set = name) => fresh[name] !== undefined && fresh[name] !== before?.[name] && fresh[name] !== told[set];
    if (asked("show_boxes", "boxes")) player.showBoxes(fresh.show_boxes);
    if (asked("speed")) player.setSpeed(fresh.speed, false);
    if (asked("together")) player.putTogether(fresh.together);
  }

  /** Another video: nothing was set on it yet. */
  function forget() {
    clearTimeout(timer);
    begun = null;
    told = {};
  }

  player.look = { beginAt, changed, asksForSecond, take, forget };
}
