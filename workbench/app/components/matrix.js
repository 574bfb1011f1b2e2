// A matrix of any size: wheel, pinch and + - zoom, drag and arrows pan, hover names the cell, click or Enter opens its
// query. Units: rows and columns count cells; `sx` and `sy` are screen pixels per cell. Text from data only ever goes
// through textContent. The other matrix_*.js stand before it in one module.

const views = new WeakMap();
const NEAR = 40; // most pixels of a cell's shorter side
const MARGIN = 64; // pixels above and below all of the matrix, for the names of domains

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement);
    views.set(parentElement, view);
  }
  view.open = (id) => setTriggerValue("cell", id);
  view.update(data);
}

class View {
  constructor(root) {
    this.build(root);
    this.pen = this.canvas.getContext("2d");
    this.tiles = new Tiles(() => this.draw(), (message) => this.fail(message));
    this.middle = { row: 0, column: 0 };
    this.sx = this.limit = 1;
    this.shows = { pairs: true, borders: true };
    this.told = new Set();
    this.asked = "";
    this.drawn = false;
    listen(this);
    new ResizeObserver(() => this.data && this.draw()).observe(this.canvas);
  }

  build(root) {
    this.frame = element("div", "frame", root);
    this.canvas = element("canvas", "canvas", this.frame);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "matrix");
    this.notice = element("div", "notice", this.frame);
    this.notice.setAttribute("role", "alert");
    this.tip = new Tip(this.frame);
    const tools = element("div", "tools", this.frame);
    button(tools, "+", "Zoom in (+)", () => this.zoom(2));
    button(tools, "−", "Zoom out (−)", () => this.zoom(0.5));
    button(tools, "⤢", "Show all (0)", () => this.fit());
    this.toggles = {
      pairs: button(tools, "◻", "Right pairs (p)", () => this.toggle("pairs")),
      borders: button(tools, "╋", "Borders of domains and sources (b)", () => this.toggle("borders")),
    };
    this.place = element("div", "place", this.frame);
    this.legend = new Legend(root, (step) => this.contrast(step));
  }

  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  // Several captions per video make rows lower than columns are wide, so that all of it can be seen.
  get sy() { return this.sx * Math.max(0.2, Math.min(5, this.data.columns / this.data.rows)); }
  get difference() { return Boolean(this.data.other); }
  get dark() { return luminance(getComputedStyle(this.frame).backgroundColor) < 0.4; }

  update(data) {
    const before = this.data;
    this.data = data;
    this.canvas.setAttribute("aria-label", data.about);
    if (!before || before.stamp !== data.stamp || before.pool !== data.pool) {
      this.notice.textContent = "";
      this.limit = data.limit;
    }
    if (!before || before.stamp !== data.stamp) {
      this.tiles.clear();
      this.marks(data);
      if (!before || before.rows !== data.rows || before.columns !== data.columns || before.order !== data.order) this.fit();
    }
    if (data.at && !this.told.has(data.at)) this.restore(data.at);
    this.draw();
  }

  async marks(data) {
    this.overlay = new Overlay(data, { pairs: [], rows: [], columns: [] });
    const answer = await fetch(address(data, `marks/${encodeURIComponent(data.run)}`));
    if (!answer.ok || this.data.stamp !== data.stamp) return;
    this.overlay = new Overlay(data, await answer.json());
    this.draw();
  }

  fail(message) {
    this.notice.textContent = message || "The server does not answer. Reload the page.";
    this.frame.dataset.ready = "failed";
  }

  // Place, scale, range and what is drawn over it, as they stand in the address.
  get at() {
    const flags = Object.keys(this.shows).filter((name) => this.shows[name]).map((name) => name[0]).join("");
    return [this.middle.row.toFixed(1), this.middle.column.toFixed(1), this.sx.toPrecision(4), this.limit, flags].join("_");
  }

  restore(at) {
    const parts = at.split("_");
    const [row, column, scale, limit] = parts.map(Number);
    if (![row, column, scale].every(Number.isFinite) || !this.data.ranges.includes(limit)) return;
    this.middle = { row, column };
    this.sx = scale;
    this.limit = limit;
    for (const name of Object.keys(this.shows)) this.shows[name] = (parts[4] || "").includes(name[0]);
    this.clamp();
  }

  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const at = this.at;
      if (this.told.has(at) && at === this.lastTold) return;
      if (this.told.size > 50) this.told.clear();
      this.told.add(at);
      this.lastTold = at;
      keepInAddress({ at }); // in place of the one before: no step of the history
    }, 600);
  }

  get fitting() {
    const tall = this.sy / this.sx;
    return Math.min(this.width / this.data.columns, (this.height - MARGIN) / (this.data.rows * tall)) || 1;
  }

  fit() {
    this.sx = this.fitting;
    this.middle = { row: this.data.rows / 2, column: this.data.columns / 2 };
    this.draw();
    if (this.drawn) this.remember();
  }

  clamp() {
    const nearest = NEAR / Math.min(1, this.sy / this.sx);
    this.sx = Math.max(0.8 * this.fitting, Math.min(nearest, this.sx));
    this.middle.row = Math.max(0, Math.min(this.data.rows, this.middle.row));
    this.middle.column = Math.max(0, Math.min(this.data.columns, this.middle.column));
  }

  // The cell below (px, py) stays there.
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const before = { x: this.left + px / this.sx, y: this.top + py / this.sy };
    this.sx *= factor;
    this.clamp();
    this.middle.column = before.x - (px - this.width / 2) / this.sx;
    this.middle.row = before.y - (py - this.height / 2) / this.sy;
    this.moved();
  }

  pan(dx, dy) {
    this.middle.column -= dx / this.sx;
    this.middle.row -= dy / this.sy;
    this.moved();
  }

  // So many cells where they are large enough to tell, else so many times 60 pixels.
  step(across, down) {
    const pixels = (scale) => (scale >= 8 ? scale : 60);
    this.pan(across * pixels(this.sx), down * pixels(this.sy));
  }

  moved() {
    this.clamp();
    this.draw();
    this.remember();
  }

  toggle(name) {
    this.shows[name] = !this.shows[name];
    this.moved();
  }

  contrast(step) {
    const { ranges } = this.data;
    const at = Math.max(0, Math.min(ranges.length - 1, ranges.indexOf(this.limit) + step));
    this.limit = ranges[at];
    this.moved();
  }

  get left() { return this.middle.column - this.width / 2 / this.sx; }
  get top() { return this.middle.row - this.height / 2 / this.sy; }

  cellAt(px, py) {
    const column = Math.floor(this.left + px / this.sx);
    const row = Math.floor(this.top + py / this.sy);
    const inside = row >= 0 && column >= 0 && row < this.data.rows && column < this.data.columns;
    return inside ? { row, column } : null;
  }

  async describe({ row, column }) {
    const answer = await fetch(address(this.data, `cell/${encodeURIComponent(this.data.run)}/${row}/${column}`));
    return answer.ok ? answer.json() : null;
  }

  // Say what a cell is; the last one asked for wins.
  point(cell, wait = 60) {
    const name = cell ? `${cell.row}/${cell.column}` : "";
    if (name === this.asked) return;
    this.asked = name;
    clearTimeout(this.timer);
    if (!cell) { this.tip.hide(); return; }
    this.timer = setTimeout(async () => {
      const found = await this.describe(cell);
      if (found && this.asked === name) this.tip.show(found, this.data);
    }, wait);
  }

  async follow(cell, elsewhere) {
    const found = cell && (await this.describe(cell));
    if (!found) return;
    if (elsewhere) window.open(`${this.data.link}&q=${encodeURIComponent(found.caption_id)}`, "_blank", "noopener");
    else this.open(found.caption_id);
  }

  draw() {
    if (this.frameAsked) return;
    this.frameAsked = requestAnimationFrame(() => {
      this.frameAsked = 0;
      this.paint();
    });
  }

  paint() {
    const { data, pen } = this;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (!wide || !high) return;
    if (!this.drawn) this.clamp(); // the size was not known before
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const look = `${this.limit} ${this.dark} ${data.stamp}`;
    if (look !== this.look) {
      this.look = look;
      this.table = colours(this.limit, this.difference, this.dark);
      this.legend.show(this.table, this.limit, data);
    }
    this.level = 0;
    while (this.level < data.levels - 1 && Math.min(this.sx, this.sy) * data.factor ** this.level < 0.6) this.level += 1;
    const waiting = paintTiles(this);
    this.overlay.paint(this);
    this.say(waiting);
  }

  say(waiting) {
    const { data, level } = this;
    const cells = data.factor ** level;
    const pooled = `${data.pool === "max" ? (data.other ? "largest" : "highest") : "mean"} of ${cells} × ${cells} cells`;
    this.place.textContent = `${data.rows.toLocaleString("en")} captions ↓ × ${data.columns.toLocaleString("en")} videos → · ` +
      (level ? pooled : "single cells");
    for (const [name, node] of Object.entries(this.toggles)) node.setAttribute("aria-pressed", String(this.shows[name]));
    if (!this.notice.textContent) this.frame.dataset.ready = String(!waiting);
    this.frame.dataset.level = level;
    this.frame.dataset.bytes = this.tiles.bytes;
    this.drawn = true;
  }
}
