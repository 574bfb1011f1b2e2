// Fifty failures by keyboard: next, previous, tag, play, boxes, bookmark, link; Python hears of tags, not of keys.
// Stands behind the player's module, whose `mount` it uses, and behind address.js, as the address follows the keys. Text from data only ever goes through textContent.

const desks = new WeakMap();
const WAIT = 800; // milliseconds without a tag before tags go out

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let desk = desks.get(parentElement);
  if (!desk) {
    desk = makeDesk(parentElement);
    desks.set(parentElement, desk);
  }
  desk.tell = setTriggerValue;
  desk.take(data);
}

function node(name, className, parent, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) {
    made.dir = "auto";
    made.textContent = text;
  }
  if (parent) parent.appendChild(made);
  return made;
}

function act(parent, label, key, run) {
  const button = node("button", "act", parent, label);
  button.type = "button";
  if (key) node("kbd", "", button, key).setAttribute("aria-hidden", "true");
  button.setAttribute("aria-label", label);
  button.onclick = run;
  return button;
}

function field(parent, label, kind, key) {
  const whole = node("label", "field", parent);
  node("span", "", whole, label);
  if (key) node("kbd", "", whole, key).setAttribute("aria-hidden", "true");
  return node(kind, "", whole);
}

function makeDesk(parent) {
  const root = node("div", "triage", parent);
  const list = node("div", "list", root);
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Failed queries");
  const panel = node("section", "panel", root);
  panel.setAttribute("aria-label", "The chosen query");
  const caption = node("div", "caption", panel, "");
  const facts = node("div", "facts", panel, "");
  const why = node("div", "why", panel, "");
  const proof = node("div", "row proof", panel);
  proof.setAttribute("role", "group");
  proof.setAttribute("aria-label", "Words of the evidence; each moves the player to where it stands");
  const labels = node("div", "row labels", panel);
  const causes = node("div", "row causes", panel);
  const cause = field(causes, "Which cause is it?", "select", "c");
  const own = field(causes, "In your own words", "input", "");
  own.type = "text";
  own.maxLength = 300;
  const acts = node("div", "row acts", panel);
  const videos = node("div", "videos", panel);
  const help = node("div", "help", panel, "");
  const said = node("div", "help", panel, "");
  said.setAttribute("aria-live", "polite");

  let data = null, text = "", at = 0, timer = 0, ticket = 0;
  let players = [];
  const pending = { tags: new Map(), marks: new Map(), named: new Map(), words: new Map() }; // told again until Python's data says the same
  const desk = { tell: () => {}, take };

  act(acts, "Previous", "k", () => go(at - 1));
  act(acts, "Next", "j", () => go(at + 1));
  act(acts, "Play or pause", "space", () => toPlayers(" "));
  act(acts, "Boxes", "o", () => toPlayers("b"));
  const mark = act(acts, "Bookmark", "b", () => toggleMark());
  act(acts, "Copy link", "enter", copyLink);

  function take(fresh) {
    const now = JSON.stringify(fresh);
    if (now === text) return;
    text = now;
    const other = !data || JSON.stringify(fresh.cases) !== JSON.stringify(data.cases);
    data = fresh;
    for (const [id, label] of [...pending.tags]) if ((data.tags[id] ?? null) === label) pending.tags.delete(id);
    for (const [id, on] of [...pending.marks]) if (data.marks.includes(id) === on) pending.marks.delete(id);
    for (const kind of ["named", "words"])
      for (const [id, said] of [...pending[kind]]) if ((data[kind][id] ?? "") === said) pending[kind].delete(id);
    if (other) {
      fillList();
      fillLabels();
      at = Math.max(0, data.cases.findIndex((one) => one.id === data.chosen));
      open();
    } else paint();
    if (waiting()) later();
  }

  const tagOf = (id) => (pending.tags.has(id) ? pending.tags.get(id) : data.tags[id] ?? null);
  const saidOf = (kind, id) => (pending[kind].has(id) ? pending[kind].get(id) : data[kind][id] ?? "");
  const waiting = () => Object.values(pending).some((one) => one.size);
  const marked = (id) => (pending.marks.has(id) ? pending.marks.get(id) : data.marks.includes(id));

  function fillList() {
    list.replaceChildren(...data.cases.map((one, place) => {
      const item = node("button", "item");
      item.type = "button";
      if (one.thumb) {
        const image = node("img", "", item);
        image.loading = "lazy";
        image.alt = "";
        image.src = one.thumb;
        image.onerror = () => image.replaceWith(node("span", "none"));
      } else node("span", "none", item);
      const words = node("span", "", item);
      node("span", "line", words, one.text);
      node("span", "mark", words, "");
      item.onclick = () => go(place);
      return item;
    }));
  }

  function fillLabels() {
    labels.replaceChildren();
    data.labels.forEach((one, place) => {
      const button = act(labels, one.label, String(place + 1), () => tag(one.id));
      button.title = one.sentence;
      button.dataset.label = one.id;
    });
    help.textContent = `Keys: j next, k previous, 1 to ${data.labels.length} tag (again = take it back), c name a cause, `
      + "space play, o boxes, t moves both videos together, b bookmark, enter copies the link. They do nothing while you write in a field; escape leaves it.";
  }

  function paint() {
    const one = data.cases[at];
    for (const button of labels.children) {
      button.setAttribute("aria-pressed", String(tagOf(one.id) === button.dataset.label));
      button.disabled = !data.who;
    }
    mark.setAttribute("aria-pressed", String(marked(one.id)));
    mark.disabled = cause.disabled = own.disabled = !data.who;
    paintCause(one);
    [...list.children].forEach((item, place) => {
      const id = data.cases[place].id;
      item.toggleAttribute("aria-current", false);
      if (place === at) item.setAttribute("aria-current", "true");
      const label = data.labels.find((known) => known.id === tagOf(id));
      item.querySelector(".mark").textContent = [marked(id) ? "★" : "", label ? label.label : tagOf(id) || ""].join(" ").trim();
    });
    if (!data.who) said.textContent = "Write your name above to tag and bookmark.";
    else if (!waiting()) said.textContent = "All tags are saved.";
  }

  function paintCause(one) {
    const known = [{ id: "", label: "not named" }, ...data.causes];
    cause.replaceChildren(...known.map(({ id, label }) => {
      const option = node("option", "", null, id && id === one.cause_id ? `${label} (as computed)` : label);
      option.value = id;
      return option;
    }));
    cause.value = saidOf("named", one.id);
    if (parent.getRootNode().activeElement !== own) own.value = saidOf("words", one.id);
  }

  function go(place) {
    const next = Math.min(Math.max(0, place), data.cases.length - 1);
    if (next === at) return;
    at = next;
    keepInAddress({ q: data.cases[at].id });
    open();
  }

  function open() {
    const one = data.cases[at];
    caption.textContent = one.text;
    facts.textContent = `${at + 1} of ${data.cases.length}  ·  rank ${one.rank}  ·  ${one.cause}`;
    why.textContent = one.evidence;
    fillProof(one);
    paint();
    const item = list.children[at];
    list.scrollTop = Math.min(item.offsetTop - list.offsetTop, Math.max(list.scrollTop, item.offsetTop - list.offsetTop + item.offsetHeight - list.clientHeight));
    clearTimeout(ticket);
    ticket = setTimeout(() => load(one), 120); // keys held down pass many cases without loading any
  }

  function fillProof(one) {
    proof.replaceChildren(...one.words.map(({ word, place, player, seconds }) => {
      const button = act(null, `${word}, ${place}`, "", () =>
        document.dispatchEvent(new CustomEvent("workbench:seek", { detail: { key: player, seconds } })));
      button.disabled = seconds === null;
      return button;
    }));
  }

  async function load(one) {
    const found = await Promise.all(one.videos.map(async (video) => {
      if (!video.src) return { error: video.missing };
      try {
        const answer = await fetch(video.src);
        const body = await answer.json();
        return answer.ok ? body : { error: body.error };
      } catch {
        return { error: "The server does not answer." };
      }
    }));
    if (data.cases[at] !== one && data.cases[at].id !== one.id) return;
    players.forEach((player) => player.destroy());
    players = [];
    videos.replaceChildren(); // players of a group know each other by standing on the page, so holders come first
    found.forEach((body, place) => {
      const title = one.videos[place].title;
      if (body.error) return node("div", "note", videos, `${title}: ${body.error}`);
      const holder = node("div", "", videos);
      const more = { title, sub: one.videos[place].sub, compact: false, autoplay: false, group: "triage" };
      return players.push(mount(holder, { ...body, ...more }));
    });
  }

  /** A key for every player; where they move together, one of them takes the others along. */
  function toPlayers(key) {
    const all = [...videos.querySelectorAll(".wbp")];
    const leads = key === "t" || (key === " " && all.some((one) => one.dataset.together === "true"));
    for (const one of leads ? all.slice(0, 1) : all) one.dispatchEvent(new KeyboardEvent("keydown", { key }));
  }

  function tag(label) {
    const { id, cause_id } = data.cases[at];
    if (!data.who) return;
    const set = tagOf(id) !== label;
    pending.tags.set(id, set ? label : null);
    pending.named.set(id, set && label === data.confirms ? cause_id : "");
    if (!set) pending.words.set(id, "");
    changed();
  }

  // A named cause sets the label that it stands for; words of one's own alone are another cause.
  cause.onchange = () => {
    const { id, cause_id } = data.cases[at];
    const chosen = data.causes.find((one) => one.id === cause.value);
    pending.named.set(id, cause.value);
    pending.tags.set(id, !chosen ? null : chosen.id === cause_id ? data.confirms : chosen.tag);
    if (!chosen) pending.words.set(id, "");
    changed();
  };
  own.onchange = () => {
    const { id } = data.cases[at];
    pending.words.set(id, own.value.trim());
    if (own.value.trim() && !tagOf(id)) pending.tags.set(id, data.otherwise);
    changed();
  };

  function toggleMark() {
    const { id } = data.cases[at];
    if (!data.who) return;
    pending.marks.set(id, !marked(id));
    changed();
  }

  function changed() {
    said.textContent = "Saving …";
    paint();
    later();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(send, WAIT);
  }

  function send() {
    clearTimeout(timer);
    if (!waiting()) return;
    desk.tell("said", Object.fromEntries(Object.entries(pending).map(([kind, one]) => [kind, Object.fromEntries(one)])));
  }

  async function copyLink() {
    const link = new URL(data.cases[at].link, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "The link is copied.";
    } catch {
      said.textContent = link;
    }
  }

  function onKey(event) {
    if (!root.isConnected) {
      document.removeEventListener("keydown", onKey);
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = event.composedPath()[0];
    if (from.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(from.tagName)) {
      if (event.key === "Escape" && panel.contains(from)) from.blur();
      return;
    }
    if (from.closest?.("[role=combobox],[role=listbox],[role=menu],[role=dialog],[role=grid]")) return;
    const pressing = /^(BUTTON|A|SUMMARY)$/.test(from.tagName);
    const keys = {
      j: () => go(at + 1), k: () => go(at - 1), o: () => toPlayers("b"), t: () => toPlayers("t"), b: toggleMark, c: () => cause.focus(),
    };
    if (!pressing) Object.assign(keys, { " ": () => toPlayers(" "), Enter: copyLink });
    const label = data.labels[Number(event.key) - 1];
    const run = label ? () => tag(label.id) : Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => root.isConnected && document.hidden && send());
  return desk;
}
