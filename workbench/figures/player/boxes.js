// What is drawn over the picture and under the scrub bar.

function boxes(player) {
  const { root, parts, state, video, canvas } = player;
  const pen = canvas.getContext("2d");

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
    player.drawWords();
    drawPlace();
    root.dataset.frame = String(state.frame);
    root.dataset.ready = "true";
    const detail = { key: state.data.key, frame: state.frame, mediaTime: state.mediaTime };
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

  Object.assign(player, { draw, drawLanes });
}
