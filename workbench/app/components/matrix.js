// A matrix of any size as tiles: wheel zooms, drag pans, hover names the cell, click opens its query.
// Keys on the focused canvas: arrows pan, + and - zoom, 0 fits.
// Units: `cells` are rows and columns of the matrix; `scale` is screen pixels per cell.

const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let view = views.get(parentElement);
  if (!view) {
    view = mount(parentElement);
    views.set(parentElement, view);
  }
  view.update(data, (id) => setTriggerValue("cell", id));
}

function element(name, className, parent) {
  const node = document.createElement(name);
  node.className = className;
  parent.appendChild(node);
  return node;
}

function mount(root) {
  const frame = element("div", "frame", root);
  const canvas = element("canvas", "canvas", frame);
  const tip = element("div", "tip", frame);
  const tools = element("div", "tools", frame);
  const place = element("div", "place", frame);
  const pen = canvas.getContext("2d");
  const state = { x: 0, y: 0, scale: 1, data: null, open: null, tiles: new Map(), asked: "", timer: 0 };
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");

  for (const [label, title, act] of [["+", "Zoom in", () => zoom(2)], ["−", "Zoom out", () => zoom(0.5)], ["⤢", "Fit", fit]]) {
    const button = element("button", "", tools);
    button.textContent = label;
    button.title = title;
    button.setAttribute("aria-label", title);
    button.onclick = act;
  }

  const width = () => canvas.clientWidth;
  const height = () => canvas.clientHeight;

  function fit() {
    state.scale = Math.min(width() / state.data.columns, height() / state.data.rows);
    state.x = -(width() / state.scale - state.data.columns) / 2;
    state.y = -(height() / state.scale - state.data.rows) / 2;
    draw();
  }

  function zoom(factor, px = width() / 2, py = height() / 2) {
    const lowest = Math.min(width() / state.data.columns, height() / state.data.rows) / 2;
    const scale = Math.max(lowest, Math.min(40, state.scale * factor));
    state.x += px / state.scale - px / scale;
    state.y += py / state.scale - py / scale;
    state.scale = scale;
    draw();
  }

  function tile(level, tx, ty) {
    const d = state.data;
    const query = new URLSearchParams({ pool: d.pool, stamp: d.stamp });
    if (d.other) query.set("other", d.other);
    const url = `/matrix/tile/${d.run}/${level}/${tx}/${ty}?${query}`;
    if (!state.tiles.has(url)) {
      if (state.tiles.size > 400) state.tiles.delete(state.tiles.keys().next().value);
      const image = new Image();
      image.onload = draw;
      image.src = url;
      state.tiles.set(url, image);
    }
    return state.tiles.get(url);
  }

  function draw() {
    const d = state.data;
    if (!d) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width() * ratio;
    canvas.height = height() * ratio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = "#f3f6f8";
    pen.fillRect(0, 0, width(), height());
    pen.imageSmoothingEnabled = false;
    let level = 0;
    while (level < d.levels - 1 && state.scale * Math.pow(d.factor, level) < 1 / 1.5) level += 1;
    const cells = Math.pow(d.factor, level);
    const span = d.tile * cells;
    const first = [Math.max(0, Math.floor(state.x / span)), Math.max(0, Math.floor(state.y / span))];
    const last = [
      Math.min(Math.ceil(d.columns / span), Math.ceil((state.x + width() / state.scale) / span)),
      Math.min(Math.ceil(d.rows / span), Math.ceil((state.y + height() / state.scale) / span)),
    ];
    let waiting = 0;
    for (let ty = first[1]; ty < last[1]; ty++) {
      for (let tx = first[0]; tx < last[0]; tx++) {
        const image = tile(level, tx, ty);
        if (!image.complete) { waiting += 1; continue; }
        if (!image.naturalWidth) continue;
        const size = cells * state.scale;
        pen.drawImage(image, (tx * span - state.x) * state.scale, (ty * span - state.y) * state.scale,
          image.naturalWidth * size, image.naturalHeight * size);
      }
    }
    lines();
    place.textContent = `${d.rows.toLocaleString()} captions × ${d.columns.toLocaleString()} videos` +
      (level ? ` · ${d.pool} of ${cells} × ${cells} cells` : " · single cells");
    if (!waiting) frame.dispatchEvent(new CustomEvent("matrix:ready", { bubbles: true, composed: true }));
    frame.dataset.ready = String(!waiting);
  }

  function lines() {
    const d = state.data;
    const px = (column) => (column - state.x) * state.scale;
    const py = (row) => (row - state.y) * state.scale;
    pen.lineWidth = 1;
    pen.strokeStyle = "rgba(194, 87, 12, .55)";
    pen.font = "12px system-ui, sans-serif";
    for (const border of d.borders) {
      pen.beginPath();
      pen.moveTo(px(border.columns[1]), py(0));
      pen.lineTo(px(border.columns[1]), py(d.rows));
      pen.moveTo(px(0), py(border.rows[1]));
      pen.lineTo(px(d.columns), py(border.rows[1]));
      pen.stroke();
      const room = (border.columns[1] - border.columns[0]) * state.scale;
      if (room > pen.measureText(border.label).width + 12 && (border.rows[1] - border.rows[0]) * state.scale > 22) {
        const x = px(border.columns[0]) + 6;
        const y = py(border.rows[0]) + 16;
        pen.fillStyle = "rgba(255, 255, 255, .85)";
        pen.fillRect(x - 3, y - 12, pen.measureText(border.label).width + 6, 16);
        pen.fillStyle = "#9a3f06";
        pen.fillText(border.label, x, y);
      }
    }
    pen.strokeStyle = "#8696a5";
    pen.strokeRect(px(0), py(0), d.columns * state.scale, d.rows * state.scale);
  }

  function cellAt(event) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(state.x + (event.clientX - box.left) / state.scale);
    const row = Math.floor(state.y + (event.clientY - box.top) / state.scale);
    const inside = row >= 0 && column >= 0 && row < state.data.rows && column < state.data.columns;
    return inside ? { row, column } : null;
  }

  async function ask({ row, column }) {
    const query = state.data.other ? `?other=${encodeURIComponent(state.data.other)}` : "";
    const answer = await fetch(`/matrix/cell/${state.data.run}/${row}/${column}${query}`);
    return answer.ok ? answer.json() : null;
  }

  function hover(event) {
    const cell = cellAt(event);
    const name = cell ? `${cell.row}/${cell.column}` : "";
    if (name === state.asked) return;
    state.asked = name;
    clearTimeout(state.timer);
    if (!cell) { tip.textContent = ""; return; }
    state.timer = setTimeout(async () => {
      const found = await ask(cell);
      if (!found || state.asked !== name) return;
      const value = found.value === null ? "not scored" : `${found.value.toFixed(2)} sd`;
      const scores = found.scores.map((score) => (score === null ? "not scored" : score.toFixed(4))).join(" and ");
      tip.textContent = `“${found.text}” → ${found.video}${found.right ? " (right)" : ""}: ${value}, score ${scores}`;
    }, 60);
  }

  let drag = null;
  canvas.onpointerdown = (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    if (!drag) { hover(event); return; }
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (Math.abs(dx) + Math.abs(dy) < 4 && !drag.moved) return;
    state.x -= dx / state.scale;
    state.y -= dy / state.scale;
    drag = { x: event.clientX, y: event.clientY, moved: true };
    draw();
  };
  canvas.onpointerup = async (event) => {
    const moved = drag && drag.moved;
    drag = null;
    const cell = cellAt(event);
    if (moved || !cell) return;
    const found = await ask(cell);
    if (found && state.open) state.open(found.caption_id);
  };
  canvas.onpointerleave = () => { state.asked = ""; clearTimeout(state.timer); tip.textContent = ""; };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(Math.pow(1.0015, -event.deltaY), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  canvas.onkeydown = (event) => {
    const step = 60 / state.scale;
    const act = {
      ArrowLeft: () => { state.x -= step; draw(); }, ArrowRight: () => { state.x += step; draw(); },
      ArrowUp: () => { state.y -= step; draw(); }, ArrowDown: () => { state.y += step; draw(); },
      "+": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit,
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  };
  new ResizeObserver(() => state.data && draw()).observe(canvas);

  return {
    update(data, open) {
      const size = state.data && [state.data.rows, state.data.columns].join();
      state.data = data;
      state.open = open;
      canvas.setAttribute("aria-label", `Similarity matrix, ${data.rows} captions by ${data.columns} videos`);
      if (size === [data.rows, data.columns].join()) draw(); else fit();
    },
  };
}
