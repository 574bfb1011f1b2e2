// The tiles in sight on the canvas: coarser ones while the right ones are on their way, values in near cells.

const WRITTEN = 14; // pixels of a cell's height from which its value is written into it

function tileAddress(view, level, x, y) {
  return address(view.data, `tile/${encodeURIComponent(view.data.run)}/${level}/${x}/${y}`, { pool: view.data.pool });
}

function sizeOf(view, level) {
  const cells = view.data.factor ** level;
  return [Math.ceil(view.data.columns / cells), Math.ceil(view.data.rows / cells)];
}

function tileOf(view, level, x, y) {
  const [columns, rows] = sizeOf(view, level);
  const side = view.data.tile;
  return view.tiles.get(tileAddress(view, level, x, y), Math.min(side, columns - x * side), Math.min(side, rows - y * side));
}

// Draws what is here, coarser where the right tile is still on its way; returns how many are.
function paintTiles(view) {
  const { data, level } = view;
  const span = data.tile * data.factor ** level;
  const [left, top] = [view.left, view.top];
  const last = [Math.min(data.columns, left + view.width / view.sx), Math.min(data.rows, top + view.height / view.sy)];
  let waiting = 0;
  view.tiles.begin(view.table);
  tileOf(view, data.levels - 1, 0, 0); // all of it, coarsely, always
  for (let y = Math.max(0, Math.floor(top / span)); y * span < last[1]; y++) {
    for (let x = Math.max(0, Math.floor(left / span)); x * span < last[0]; x++) {
      const tile = tileOf(view, level, x, y);
      if (tile) paintTile(view, tile, level, x, y, 0, 0, tile.width, tile.height);
      else {
        waiting += 1;
        paintCoarser(view, level, x, y);
      }
    }
  }
  if (!waiting) askAround(view, left, top, last, span);
  view.tiles.end();
  return waiting;
}

// The tiles that the next pan will show.
function askAround(view, left, top, [right, bottom], span) {
  const { data, level } = view;
  const [first, last] = [[left, top], [right, bottom]].map((one) => one.map((value) => Math.floor(value / span)));
  for (let y = Math.max(0, first[1] - 1); y <= last[1] + 1 && y * span < data.rows; y++) {
    for (let x = Math.max(0, first[0] - 1); x <= last[0] + 1 && x * span < data.columns; x++) tileOf(view, level, x, y);
  }
}

function paintCoarser(view, level, x, y) {
  const { data } = view;
  for (let up = level + 1; up < data.levels; up++) {
    const many = data.factor ** (up - level);
    const tile = view.tiles.peek(tileAddress(view, up, Math.floor(x / many), Math.floor(y / many)));
    if (!tile) continue;
    const part = data.tile / many;
    const [sx, sy] = [(x % many) * part, (y % many) * part];
    paintTile(view, tile, up, Math.floor(x / many), Math.floor(y / many), sx, sy,
      Math.min(part, tile.width - sx), Math.min(part, tile.height - sy));
    return;
  }
}

// A part of a tile, from its pixel (fromX, fromY) on.
function paintTile(view, tile, level, x, y, fromX, fromY, wide, high) {
  const { pen, data } = view;
  const cells = data.factor ** level;
  const [cw, ch] = [cells * view.sx, cells * view.sy];
  const px = ((x * data.tile + fromX) * cells - view.left) * view.sx;
  const py = ((y * data.tile + fromY) * cells - view.top) * view.sy;
  const [pw, ph] = [Math.min(wide * cw, (data.columns - view.left) * view.sx - px), Math.min(high * ch, (data.rows - view.top) * view.sy - py)];
  if (tile.holes) {
    pen.fillStyle = hatch(pen, view.dark);
    pen.fillRect(px, py, pw, ph);
  }
  pen.imageSmoothingEnabled = Math.min(cw, ch) < 1;
  pen.drawImage(view.tiles.picture(tile), fromX, fromY, pw / cw, ph / ch, px, py, pw, ph);
  if (level === 0 && view.sx >= 30 && view.sy >= WRITTEN) write(view, tile, x, y);
}

// The value of every visible cell of a tile, with its sign.
function write(view, tile, x, y) {
  const { pen, data } = view;
  const [left, top] = [view.left - x * data.tile, view.top - y * data.tile];
  pen.font = `${Math.min(12, view.sy - 3)}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(tile.height, top + view.height / view.sy); row++) {
    for (let column = Math.max(0, Math.floor(left)); column < Math.min(tile.width, left + view.width / view.sx); column++) {
      const code = tile.codes[row * tile.width + column];
      if (!code) continue;
      pen.fillStyle = brightness(view.table[code]) > 0.45 ? "#10161d" : "#ffffff";
      pen.fillText(signed(decode(code)), (column + 0.5 - left) * view.sx, (row + 0.5 - top) * view.sy);
    }
  }
}
