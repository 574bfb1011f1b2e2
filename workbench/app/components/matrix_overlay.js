// What lies over and beside the tiles of a matrix: borders, right pairs, the sentence of a cell, the legend.

const LABEL = "12px system-ui, sans-serif";

function element(name, className, parent) {
  const node = document.createElement(name);
  node.className = className;
  parent.appendChild(node);
  return node;
}

function button(parent, label, title, act) {
  const node = element("button", "", parent);
  node.type = "button";
  node.textContent = label;
  node.title = title;
  node.setAttribute("aria-label", title);
  node.onclick = act;
  return node;
}

function address(data, path, more = {}) {
  const query = new URLSearchParams({ order: data.order, stamp: data.stamp, ...(data.other && { other: data.other }), ...more });
  return `/matrix/${path}?${query}`;
}

function signed(value) {
  const text = Math.abs(value).toFixed(1);
  return text === "0.0" ? "0" : `${value > 0 ? "+" : "−"}${text}`;
}

function luminance(colour) {
  const [r, g, b] = (colour.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

function brightness(packed) {
  return (0.2126 * (packed & 255) + 0.7152 * ((packed >> 8) & 255) + 0.0722 * ((packed >> 16) & 255)) / 255;
}

const hatches = {};
function hatch(pen, dark) {
  if (!hatches[dark]) {
    const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
    const own = tile.getContext("2d");
    own.fillStyle = dark ? "#2a323c" : "#e9edf1";
    own.fillRect(0, 0, 8, 8);
    own.strokeStyle = dark ? "#667384" : "#9aa7b4";
    own.lineWidth = 1.2;
    for (const shift of [-8, 0, 8]) {
      own.moveTo(shift, 8);
      own.lineTo(shift + 8, 0);
    }
    own.stroke();
    hatches[dark] = pen.createPattern(tile, "repeat");
  }
  return hatches[dark];
}

// First place in an ascending array whose value is at least `value`; `step` numbers belong together.
function firstAt(array, value, step = 1) {
  let [low, high] = [0, array.length / step];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle * step] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// A name in one line, or in two where that lets more of it be seen in so many pixels.
function inLines(pen, name, most) {
  const width = (text) => pen.measureText(text).width;
  if (width(name) <= most) return [name];
  const words = name.split(" ");
  const pairs = words.slice(1).map((_, at) => [words.slice(0, at + 1).join(" "), words.slice(at + 1).join(" ")]);
  const longest = (pair) => Math.max(...pair.map(width));
  return pairs.sort((a, b) => longest(a) - longest(b))[0] || [name];
}

class Overlay {
  constructor(data, marks) {
    this.data = data;
    this.pairs = Int32Array.from(marks.pairs);
    this.rows = Int32Array.from(marks.rows);
    this.columns = Int32Array.from(marks.columns);
  }

  paint(view) {
    const { pen, data, sx, sy, left, top } = view;
    const px = (column) => (column - left) * sx;
    const py = (row) => (row - top) * sy;
    pen.lineWidth = 1;
    pen.strokeStyle = view.dark ? "#7c8a99" : "#8696a5";
    pen.strokeRect(px(0), py(0), data.columns * sx, data.rows * sy);
    if (view.shows.borders) {
      this.sources(view, px, py);
      this.domains(view, px, py);
    }
    if (view.shows.pairs) this.right(view, px, py);
  }

  // Thin lines between sources, where they are far enough apart to tell.
  sources(view, px, py) {
    const { pen, data, sx, sy, left, top } = view;
    const far = (edges, count, scale) => edges.length && (count / edges.length) * scale >= 12;
    pen.strokeStyle = view.dark ? "rgba(255, 255, 255, .28)" : "rgba(28, 39, 51, .28)";
    pen.beginPath();
    if (far(this.columns, data.columns, sx)) {
      for (let at = firstAt(this.columns, left); at < this.columns.length && px(this.columns[at]) < view.width; at++) {
        pen.moveTo(px(this.columns[at]), Math.max(0, py(0)));
        pen.lineTo(px(this.columns[at]), Math.min(view.height, py(data.rows)));
      }
    }
    if (far(this.rows, data.rows, sy)) {
      for (let at = firstAt(this.rows, top); at < this.rows.length && py(this.rows[at]) < view.height; at++) {
        pen.moveTo(Math.max(0, px(0)), py(this.rows[at]));
        pen.lineTo(Math.min(view.width, px(data.columns)), py(this.rows[at]));
      }
    }
    pen.stroke();
  }

  // Thick lines between domains; their names left of the rows and above the columns, or at the frame's edge.
  domains(view, px, py) {
    const { pen, data } = view;
    pen.strokeStyle = view.dark ? "#f0b429" : "#a16207";
    pen.beginPath();
    for (const { columns, rows } of data.borders) {
      pen.moveTo(px(columns[1]), py(0));
      pen.lineTo(px(columns[1]), py(data.rows));
      pen.moveTo(px(0), py(rows[1]));
      pen.lineTo(px(data.columns), py(rows[1]));
    }
    pen.stroke();
    pen.font = LABEL;
    pen.textBaseline = "middle";
    for (const { label, columns, rows } of data.borders) {
      const [top, bottom] = [Math.max(0, py(rows[0])), Math.min(view.height, py(rows[1]))];
      const [left, right] = [Math.max(0, px(columns[0])), Math.min(view.width, px(columns[1]))];
      if (bottom - top >= 18) this.name(view, label, px(0) - 6, (top + bottom) / 2, "right", 200);
      if (right - left < 36) continue;
      const lines = inLines(pen, label, right - left - 12);
      lines.forEach((line, at) => this.name(view, line, (left + right) / 2, Math.max(12, py(0) - 24 + 14 * (2 - lines.length)) + 14 * at, "center", right - left - 4));
    }
  }

  // A name that ends or is centred at x, moved into the frame, cut to so many pixels.
  name(view, label, x, y, align, most) {
    const { pen } = view;
    let text = label;
    while (text.length > 1 && pen.measureText(text).width > most - 8) text = `${text.replace("…", "").slice(0, -1).trimEnd()}…`;
    const wide = pen.measureText(text).width + 8;
    const from = Math.max(4, align === "right" ? x - wide : x - wide / 2);
    const at = Math.max(12, y);
    pen.fillStyle = view.dark ? "rgba(16, 22, 29, .85)" : "rgba(255, 255, 255, .88)";
    pen.fillRect(from, at - 9, wide, 18);
    pen.fillStyle = view.dark ? "#f0b429" : "#7c4a03";
    pen.textAlign = "left";
    pen.fillText(text, from + 4, at);
  }

  // A square around every right pair when it is close; from afar a few dots, which leave most of the scores to see.
  right(view, px, py) {
    const { pen, sx, sy } = view;
    const first = firstAt(this.pairs, Math.floor(view.top), 2);
    const last = firstAt(this.pairs, Math.ceil(view.top + view.height / sy), 2);
    const close = Math.min(sx, sy) >= 5;
    const step = close ? 1 : Math.ceil((last - first) / Math.max(1, Math.min(view.height, (last - first) * sy) / 7));
    for (const [colour, line] of close ? [["#ffffff", 3.5], ["#10161d", 1.5]] : [[view.dark ? "#f0b429" : "#10161d", 0]]) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = line;
      for (let at = first; at < last; at += step) {
        const [x, y] = [px(this.pairs[2 * at + 1]), py(this.pairs[2 * at])];
        if (x < -sx || x > view.width) continue;
        if (close) pen.strokeRect(x + 0.5, y + 0.5, sx - 1, sy - 1);
        else pen.fillRect(x + sx / 2 - 1, y + sy / 2 - 1, 2, 2);
      }
    }
  }
}

class Tip {
  constructor(frame) {
    this.node = element("div", "tip", frame);
    this.node.setAttribute("role", "status");
    [this.text, this.video, this.value] = ["text", "video", "value"].map((name) => element("div", name, this.node));
    this.text.dir = this.video.dir = "auto";
    this.hide();
  }

  hide() {
    this.node.hidden = true;
  }

  show(found, data) {
    const names = [data.run, data.other].filter(Boolean);
    const scores = found.scores.map((score, i) => `${names[i]} ${score === null ? "not scored" : score}`);
    const said = found.value === null ? "not scored" : `${signed(found.value)} sd${data.other ? " (difference)" : ""}`;
    this.text.textContent = `“${found.text}”`;
    this.video.textContent = found.right ? `◻ ${found.video}: the right video` : found.video;
    this.value.textContent = `${said}, score: ${scores.join(", ")}`;
    this.node.hidden = false;
  }
}

class Legend {
  constructor(root, contrast) {
    const bar = element("div", "bar", root);
    const scale = element("div", "scale", bar);
    this.low = element("span", "end", scale);
    this.strip = Object.assign(element("canvas", "strip", scale), { width: 200, height: 1 });
    this.strip.setAttribute("role", "img");
    this.high = element("span", "end", scale);
    element("span", "contrast", scale).textContent = "contrast";
    button(scale, "−", "Less contrast (])", () => contrast(1));
    button(scale, "+", "More contrast ([)", () => contrast(-1));
    const said = { none: "not scored", pair: "right pair", border: "domain" };
    this.items = Object.fromEntries(Object.entries(said).map(([kind, words]) => {
      const item = element("span", "item", bar);
      element("i", kind, item);
      item.append(words);
      return [kind, item];
    }));
  }

  show(table, limit, data) {
    this.items.border.hidden = !data.borders.length;
    const low = lowest(limit, Boolean(data.other));
    const code = (value) => Math.round(128 + 127 * Math.sign(value) * Math.sqrt(Math.min(LIMIT, Math.abs(value)) / LIMIT));
    const pen = this.strip.getContext("2d");
    const image = new ImageData(200, 1);
    new Uint32Array(image.data.buffer).set(Array.from({ length: 200 }, (_, i) => table[code(low + ((limit - low) * i) / 199)]));
    pen.putImageData(image, 0, 0);
    const number = (value) => `${value > 0 ? "+" : "−"}${Number(Math.abs(value).toPrecision(2))}`;
    this.low.textContent = data.other ? `${data.other} higher  ${number(low)} sd` : `${number(low)} sd`;
    this.high.textContent = data.other ? `${number(limit)} sd  ${data.run} higher` : `${number(limit)} sd`;
    this.strip.setAttribute("aria-label", `Colours from ${number(low)} to ${number(limit)} standard deviations`);
  }
}
