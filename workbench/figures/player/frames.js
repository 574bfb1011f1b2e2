// Which frame a time means, and where the quad of a text stands on a frame. Nothing here touches the page.
//
// Units of all these files: times are seconds; `frame` is an index in presentation order of the ORIGINAL video; `own` is
// an index in the presentation order of the source that is playing (a proxy may have other frames); corners are shares
// of the picture (0..1); everything drawn is in CSS pixels. Text from data only ever goes through textContent, title or
// fillText.

/** Subtitles and links are written in milliseconds: a frame begins up to this much after the second that means it. */
export const STAMP = 1e-3;

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
