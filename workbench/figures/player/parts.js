// The fixed parts of the player and what they are made of; what depends on data is filled in later.

const PLAIN = { line: "#0d9488", label: "#0f766e" };

const MATCHED = { line: "#f59e0b", label: "#b45309" };

const ICONS = {
  play: "M6 3.8v12.4a.7.7 0 0 0 1.07.6l9.6-6.2a.7.7 0 0 0 0-1.2l-9.6-6.2A.7.7 0 0 0 6 3.8z",
  pause: "M5.2 3.5h2.9c.4 0 .7.3.7.7v11.6c0 .4-.3.7-.7.7H5.2a.7.7 0 0 1-.7-.7V4.2c0-.4.3-.7.7-.7zm6.7 0h2.9c.4 0 .7.3.7.7v11.6c0 .4-.3.7-.7.7h-2.9a.7.7 0 0 1-.7-.7V4.2c0-.4.3-.7.7-.7z",
  together: "M2.5 4h6v3.4h-6zM11.5 4h6v3.4h-6zM2.5 12.6h6V16h-6zM11.5 12.6h6V16h-6zM4.7 9.2h10.6v1.6H4.7zM4.7 8.1h1.6v3.8H4.7zM13.7 8.1h1.6v3.8h-1.6z",
  back: "M15 4.6v10.8a.6.6 0 0 1-.95.5l-7.4-5.4a.6.6 0 0 1 0-1l7.4-5.4a.6.6 0 0 1 .95.5zM4 4.2h1.7v11.6H4z",
  forward: "M5 4.6v10.8c0 .5.55.78.95.5l7.4-5.4a.6.6 0 0 0 0-1l-7.4-5.4A.6.6 0 0 0 5 4.6zm9.3-.4H16v11.6h-1.7z",
  boxes: "M3 5.2C3 4.5 3.5 4 4.2 4h11.6c.7 0 1.2.5 1.2 1.2v9.6c0 .7-.5 1.2-1.2 1.2H4.2c-.7 0-1.2-.5-1.2-1.2zm1.6.4v8.8h10.8V5.6zM6.3 7.3h5v1.5h-5zm0 3.3h7.4v1.5H6.3z",
};

function element(name, className, parent, attributes = {}) {
  const node = document.createElement(name);
  node.className = className;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (parent) parent.appendChild(node);
  return node;
}

function icon(button, name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  picture.setAttribute("viewBox", "0 0 20 20");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  picture.appendChild(path);
  button.replaceChildren(picture);
}

function iconButton(parent, name, label, act) {
  const button = element("button", "wbp-button", parent, { type: "button", "aria-label": label, title: label });
  icon(button, name);
  button.onclick = act;
  return button;
}

const starred = (track) => (track.matched ? `★ ${track.text}` : track.text);

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** The fixed parts of the player; what depends on data is filled in later. */
function build(root) {
  root.replaceChildren();
  root.classList.add("wbp");
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  const head = element("div", "wbp-head", root);
  const stage = element("div", "wbp-stage", root);
  const video = element("video", "wbp-video", stage, { playsinline: "", preload: "auto", tabindex: "-1" });
  const canvas = element("canvas", "wbp-canvas", stage, { "aria-hidden": "true" });
  const poster = element("img", "wbp-poster", stage, { alt: "", hidden: "" });
  const failure = element("div", "wbp-failure", stage, { role: "alert" });
  const bar = element("div", "wbp-bar", root);
  const controls = element("div", "wbp-controls", bar);
  const scrub = element("div", "wbp-scrub", bar);
  const now = element("div", "wbp-now", root, { role: "group", "aria-label": "words on screen now" });
  const all = element("details", "wbp-all", root);
  return {
    root, stage, video, canvas, poster, failure, bar, controls, now, all,
    title: element("div", "wbp-title", head, { dir: "auto" }),
    sub: element("div", "wbp-sub", head, { dir: "auto" }),
    lanes: element("canvas", "wbp-lanes", scrub, { "aria-hidden": "true" }),
    ticks: element("div", "wbp-ticks", scrub),
    range: element("input", "wbp-range", scrub, { type: "range", min: "0", step: "1", "aria-label": "frame" }),
    summary: element("summary", "", all),
    words: element("div", "wbp-words", all),
    note: element("div", "wbp-note", root, { role: "status" }),
  };
}
