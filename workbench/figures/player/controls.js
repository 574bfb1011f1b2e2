// Buttons, keys and the ticks of the scrub bar.

const SPEEDS = [0.25, 0.5, 1, 1.5, 2];

function controls(player) {
  const { root, parts, state, video } = player;

  function showBoxes(on) {
    state.boxes = on;
    parts.boxes.setAttribute("aria-pressed", String(on));
    player.draw();
    player.look.changed();
  }

  function setSpeed(speed, byUser = true) {
    state.speed = speed;
    video.playbackRate = speed;
    if (byUser) player.speedUp(speed);
    for (const button of parts.speeds.children) button.setAttribute("aria-pressed", String(Number(button.value) === speed));
    player.look.changed();
  }

  function fillControls() {
    const bar = parts.controls;
    parts.play = iconButton(bar, "play", "Play", () => player.toggle());
    parts.back = iconButton(bar, "back", "One frame back", () => player.step(-1));
    parts.forward = iconButton(bar, "forward", "One frame forward", () => player.step(1));
    parts.boxes = iconButton(bar, "boxes", "Boxes on or off (b)", () => showBoxes(!state.boxes));
    parts.speeds = element("div", "wbp-choice", bar, { role: "group", "aria-label": "speed" });
    for (const speed of SPEEDS) {
      const button = element("button", "", parts.speeds, { type: "button", value: String(speed), "aria-label": `${speed} times speed` });
      button.textContent = `${speed}×`;
      button.onclick = () => setSpeed(speed);
    }
    parts.time = element("div", "wbp-time", bar, { title: "frames are counted from 0" });
    const more = element("div", "wbp-further", bar);
    player.fillTogether(more);
    parts.files = element("div", "wbp-choice", more, { role: "group", "aria-label": "file" });
    parts.boxes.setAttribute("aria-pressed", "true");
    setSpeed(1);
  }

  function showPlaying() {
    const playing = !video.paused && !video.ended;
    root.dataset.playing = String(playing);
    icon(parts.play, playing ? "pause" : "play");
    parts.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    parts.play.title = playing ? "Pause (space)" : "Play (space)";
    if (!playing) {
      player.showThere();
      return;
    }
    video.loop = player.repeats();
    player.say("play", "");
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = event.composedPath()[0];
    const pressing = own.tagName === "BUTTON" || own.tagName === "SUMMARY";
    const acts = {
      " ": pressing ? null : () => player.toggle(),
      ArrowLeft: () => player.step(-1),
      ArrowRight: () => player.step(1),
      Home: () => player.step(-Infinity),
      End: () => player.step(Infinity),
      t: player.switchTogether,
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
      tick.onclick = () => player.jump(frame);
    }
  }

  Object.assign(player, { showBoxes, setSpeed, fillControls, showPlaying, onKey, fillTicks });
}
