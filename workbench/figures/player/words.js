// The words on the frame that is shown, and all words of the video; a click goes to their first frame.

const LISTED = 400; // words in the list; more are counted

function words(player) {
  const { parts, state } = player;

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
    state.chips = entries.slice(0, LISTED).map((entry) => ({ entry, node: chip(parts.words, entry, () => player.jump(entry.first)) }));
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
    for (const entry of entriesOf(visible)) chip(parts.now, entry, () => player.jump(entry.first));
    if (!visible.length) element("span", "wbp-more", parts.now).textContent = "no known word on this frame";
    const texts = new Set(visible.map((track) => `${track.matched}|${track.text}`));
    for (const { entry, node } of state.chips) node.classList.toggle("wbp-lit", texts.has(`${entry.matched}|${entry.text}`));
  }

  Object.assign(player, { listWords, drawWords });
}
