// Words of a caption (rows) against frames and read words of a video (columns). A click on a cell, or Enter, asks the
// player of the video for its second, by an event of the page: nothing runs on the server. Text from data only ever
// goes through textContent, title and aria-label.

const maps = new WeakMap();
const LOWERS = "#b45309"; // what lowers the score; what lifts it has the accent colour

export default function (component) {
  const { data, parentElement } = component;
  let map = maps.get(parentElement);
  if (!map) {
    map = { root: element("div", "map", parentElement), text: "", data: null };
    maps.set(parentElement, map);
    const onFrame = ({ detail }) => {
      if (!map.root.isConnected) document.removeEventListener("player:frame", onFrame);
      else if (map.data && detail.key === map.data.player) lightColumn(map, detail.mediaTime);
    };
    document.addEventListener("player:frame", onFrame);
  }
  const text = JSON.stringify(data);
  if (text === map.text) return;
  Object.assign(map, { text, data });
  build(map);
}

function element(name, className, parent, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

function build(map) {
  const { data, root } = map;
  root.replaceChildren();
  element("div", "title", root, data.title).dir = "auto";
  const frame = element("div", "scroll", root);
  const table = element("table", "", frame);
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", data.about);
  table.onclick = (event) => ask(map, event.target.closest("td[data-row]"));
  table.onkeydown = (event) => onKey(map, event);
  for (const kind of ["focusin", "mouseover"]) {
    table.addEventListener(kind, (event) => tell(map, event.target.closest("td[data-row]")));
  }
  table.onmouseleave = () => tell(map, null);
  const head = element("tr", "", element("thead", "", table));
  element("th", "", head, "word").scope = "col";
  map.heads = data.columns.map(({ label }, number) => {
    if (starts(data, number)) element("td", "gap", head);
    const cell = element("th", "", head);
    cell.scope = "col";
    element("span", "", cell, label).dir = "auto";
    cell.title = label;
    return cell;
  });
  const body = element("tbody", "", table);
  map.cells = data.tokens.map((token, row) => {
    const line = element("tr", "", body);
    const name = element("th", "token", line, token);
    name.scope = "row";
    name.dir = "auto";
    name.title = `${token}: ${signed(data.brings[row])} in all`;
    return data.values[row].map((value, column) => cellOf(map, line, row, column, value));
  });
  if (map.cells.length && map.cells[0].length) map.cells[0][0].tabIndex = 0;
  legend(map);
  map.status = element("div", "status", root, data.hint);
  map.status.setAttribute("role", "status");
}

const starts = (data, number) => number > 0 && data.columns[number - 1].kind !== data.columns[number].kind;
const signed = (value) => (value < 0 ? `−${(-value).toFixed(2)}` : value.toFixed(2));

function cellOf(map, line, row, column, value) {
  const { data } = map;
  if (starts(data, column)) element("td", "gap", line);
  const cell = element("td", "", line);
  const best = data.best[row].includes(column);
  cell.setAttribute("role", "gridcell");
  cell.tabIndex = -1;
  Object.assign(cell.dataset, { row, column });
  cell.classList.toggle("best", best);
  cell.classList.toggle("still", data.columns[column].seconds === null);
  cell.setAttribute("aria-label", said(data, row, column, value));
  cell.style.background = colour(value / data.limit);
  if (best) element("span", "dot", cell);
  return cell;
}

function colour(share) {
  const percent = Math.round(100 * Math.min(1, Math.abs(share)));
  return `color-mix(in srgb, ${share < 0 ? LOWERS : "var(--accent)"} ${percent}%, var(--paper))`;
}

function said(data, row, column, value) {
  const { label, kind } = data.columns[column];
  const what = kind === "frame" ? `the frame at ${label} s` : `the read word “${label}”`;
  return `“${data.tokens[row]}” and ${what}: ${signed(value)}${data.best[row].includes(column) ? ", the best: it counts" : ""}`;
}

function legend({ data, root }) {
  const node = element("div", "legend", root);
  const bar = (from, to, style) => {
    element("span", "", node, from);
    element("span", "bar", node).style.background = style;
    element("span", "", node, to);
  };
  if (data.lowest < 0) bar(signed(-data.limit), "0", `linear-gradient(to right, ${LOWERS}, var(--paper))`);
  bar(data.lowest < 0 ? "" : "0", signed(data.limit), "linear-gradient(to right, var(--paper), var(--accent))");
  const key = element("span", "key", node);
  element("span", "dot", key);
  element("span", "", node, "best of its row: it is what counts");
}

function tell(map, cell) {
  const { data } = map;
  map.status.textContent = cell ? cell.getAttribute("aria-label") : data.hint;
}

function ask(map, cell) {
  if (!cell) return;
  const { seconds } = map.data.columns[Number(cell.dataset.column)];
  focus(map, Number(cell.dataset.row), Number(cell.dataset.column));
  if (seconds === null || !map.data.player) return;
  const detail = { key: map.data.player, seconds };
  document.dispatchEvent(new CustomEvent("workbench:seek", { detail }));
}

function focus(map, row, column) {
  const [wide, high] = [map.data.columns.length, map.cells.length];
  const cell = map.cells[Math.min(high - 1, Math.max(0, row))][Math.min(wide - 1, Math.max(0, column))];
  for (const other of map.root.querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

function onKey(map, event) {
  const cell = event.target.closest("td");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
  const places = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    Home: [row, 0], End: [row, map.data.columns.length - 1],
  };
  if (event.key === "Enter" || event.key === " ") ask(map, cell);
  else if (places[event.key]) focus(map, ...places[event.key]);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Mark the sampled frame that the player shows or has shown last. */
function lightColumn(map, seconds) {
  let shown = -1;
  map.data.columns.forEach((one, number) => {
    if (one.kind === "frame" && one.seconds <= seconds + 1e-3) shown = number;
  });
  if (shown === map.shown) return;
  map.shown = shown;
  map.heads.forEach((cell, number) => cell.classList.toggle("now", number === shown));
}
