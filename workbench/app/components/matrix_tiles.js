// Tiles of a matrix: fetched as bytes, coloured here, so that contrast and theme change without asking again.
// A byte is 0 = not scored, else 128 + 127 sign(v) sqrt(|v| / LIMIT); v in standard deviations (sd).

const LIMIT = 6;
const MOST_TILES = 160; // about 50 MB of pictures and bytes
const PALETTES = {
  // one run: low to high; difference: second higher, equal, first higher
  light: { one: ["#ffffff", "#dbe9f6", "#7fb2d9", "#2563a8", "#0b1f3a"], two: ["#8f3504", "#ee9f68", "#f7f7f7", "#7fb0dd", "#123f70"] },
  dark: { one: ["#10161d", "#14365c", "#2a6db3", "#84bdec", "#f4faff"], two: ["#ffc59b", "#b7591c", "#1d232b", "#2f6db0", "#a9d6ff"] },
};

function decode(code) {
  const part = (code - 128) / 127;
  return LIMIT * part * Math.abs(part);
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

// Where colours begin: values of one run are mostly near 0 and above, those of a difference on both sides.
function lowest(limit, difference) {
  return difference ? -limit : -limit / 4;
}

// 256 colours, packed for an ImageData; byte 0 is left transparent.
function colours(limit, difference, dark) {
  const stops = PALETTES[dark ? "dark" : "light"][difference ? "two" : "one"].map(channels);
  const low = lowest(limit, difference);
  const table = new Uint32Array(256);
  for (let code = 1; code < 256; code++) {
    const part = Math.max(0, Math.min(1, (decode(code) - low) / (limit - low))) * (stops.length - 1);
    const at = Math.min(stops.length - 2, Math.floor(part));
    const [r, g, b] = stops[at].map((value, i) => Math.round(value + (stops[at + 1][i] - value) * (part - at)));
    table[code] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

class Tiles {
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.held = new Map(); // address -> tile, least recently used first
    this.wanted = new Set();
    this.table = null;
    this.bytes = 0; // received, unpacked
  }

  // All tiles of another matrix are of no use any more.
  clear() {
    for (const tile of this.held.values()) tile.stop.abort();
    this.held.clear();
  }

  begin(table) {
    this.table = table;
    this.wanted.clear();
  }

  // What was asked for and is out of sight now is not waited for.
  end() {
    for (const [address, tile] of this.held) {
      if (this.wanted.has(address)) continue;
      if (!tile.codes) {
        tile.stop.abort();
        this.held.delete(address);
      } else if (this.held.size > MOST_TILES) {
        this.held.delete(address);
      }
    }
  }

  // The tile if it is here; else it is asked for.
  get(address, width, height) {
    this.wanted.add(address);
    let tile = this.held.get(address);
    if (tile) this.held.delete(address);
    else {
      tile = { codes: null, width, height, stop: new AbortController(), table: null, picture: null, holes: false };
      this.load(address, tile);
    }
    this.held.set(address, tile);
    return tile.codes ? tile : null;
  }

  // The tile if it is here; it is not asked for.
  peek(address) {
    const tile = this.held.get(address);
    return tile && tile.codes ? tile : null;
  }

  async load(address, tile) {
    try {
      const answer = await fetch(address, { signal: tile.stop.signal });
      if (!answer.ok) throw new Error((await answer.json()).error);
      const codes = new Uint8Array(await answer.arrayBuffer());
      if (codes.length !== tile.width * tile.height) throw new Error("This matrix has changed. Reload the page.");
      tile.codes = codes;
      tile.holes = codes.includes(0);
      this.bytes += codes.length;
      this.changed();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.held.delete(address);
      this.failed(error.message);
    }
  }

  picture(tile) {
    if (tile.table !== this.table) {
      tile.picture = tile.picture || Object.assign(document.createElement("canvas"), { width: tile.width, height: tile.height });
      const image = new ImageData(tile.width, tile.height);
      const pixels = new Uint32Array(image.data.buffer);
      for (let i = 0; i < pixels.length; i++) pixels[i] = this.table[tile.codes[i]];
      tile.picture.getContext("2d").putImageData(image, 0, 0);
      tile.table = this.table;
    }
    return tile.picture;
  }
}
