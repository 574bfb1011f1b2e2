// What a viewer has set: the second of a picture at rest, speed, boxes, moving together. It is told once it rests.
// The second is told only after the viewer has moved the video: which frame a browser shows first is no choice.
// Data that bring back what was told change nothing here, as the viewer may have gone on meanwhile.

const REST = 400; // milliseconds

function look(player) {
  const { state, video } = player;
  let told = {}, begun = null, touched = false, timer = 0;

  function now() {
    const moved = touched && video.paused && state.shift !== null && (told.t !== undefined || state.frame !== begun);
    return {
      t: moved && begun !== null ? state.data.frame_times[state.frame] : told.t,
      speed: state.speed, boxes: state.boxes, together: player.togetherBy(),
    };
  }

  /** The frame at which a video begins is no choice of the viewer. */
  function beginAt(frame) {
    if (begun !== null) return; // another file of the same video
    begun = frame;
    touched = false;
    told = { ...now(), t: undefined };
  }

  /** It is sought or played. */
  const touch = () => { touched = true; };

  function changed() {
    clearTimeout(timer);
    if (begun !== null) timer = setTimeout(tell, REST);
  }

  /** Only what is another than before: the second of a link outlives a change of speed. */
  function tell() {
    const fresh = Object.fromEntries(Object.entries(now()).filter(([name, value]) => value !== told[name]));
    if (!player.root.isConnected || !Object.keys(fresh).length) return;
    told = { ...told, ...fresh };
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

  player.look = { beginAt, touch, changed, asksForSecond, take, forget };
}
