// A grid of pictures of videos. Each is a link, so that it opens in a new tab as well; a plain click is told to Python.
// Text from data only ever goes through textContent and title.

const grids = new WeakMap();

// A browser's own lazy loading fetches what is up to three screens away: pictures that a viewer who only steps through
// queries never sees, but waits for.
const AHEAD = "300px";
const near = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      target.src = target.dataset.src;
    }
  },
  { rootMargin: AHEAD, scrollMargin: AHEAD },
);

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let grid = grids.get(parentElement);
  if (!grid) {
    grid = { root: element("div", "grid", parentElement), text: "", tell: () => {} };
    grids.set(parentElement, grid);
  }
  grid.tell = (id) => setTriggerValue("pick", id);
  const text = JSON.stringify(data);
  if (text === grid.text) return;
  grid.text = text;
  grid.root.style.setProperty("--width", `${data.width}px`);
  grid.pictures = data.tiles.some((tile) => tile.src); // else all would be grey
  grid.root.replaceChildren(...data.tiles.map((tile) => tileOf(tile, grid)));
}

function element(name, className, parent) {
  const node = document.createElement(name);
  node.className = className;
  if (parent) parent.appendChild(node);
  return node;
}

function line(className, text, parent) {
  if (!text) return;
  const node = element("div", className, parent);
  node.dir = "auto";
  node.textContent = text;
}

function tileOf(tile, grid) {
  const link = element("a", "tile");
  link.href = tile.href;
  link.title = tile.tip || tile.text;
  link.classList.toggle("chosen", tile.chosen);
  link.classList.toggle("right", tile.right);
  if (tile.chosen) link.setAttribute("aria-current", "true");
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    grid.tell(tile.video_id);
  };
  if (grid.pictures) {
    const picture = element("div", "picture", link);
    if (tile.src) pictureOf(tile, picture);
    else line("none", tile.missing, picture);
  }
  const head = element("div", "head", link);
  line("label", `${tile.right ? "✔ " : ""}${tile.label}`, head);
  line("note", tile.note, head);
  if (tile.words.length) {
    const words = element("div", "words", link);
    for (const word of tile.words) line("word", word, words);
  }
  line("text", tile.text, link);
  return link;
}

function pictureOf(tile, parent) {
  const image = element("img", "", parent);
  image.decoding = "async";
  image.alt = tile.text ? "" : tile.tip; // what stands beside the picture is not said twice
  image.onerror = () => {
    image.remove();
    line("none", "no picture", parent);
  };
  image.dataset.src = tile.src;
  near.observe(image);
}
