// The player as a component of Streamlit: called again on every run; the same <video> keeps playing when nothing changed.
// Stands behind the player's module, whose `mount` it uses, and behind address.js.

const mounted = new WeakMap();
const OURS = { t: undefined, speed: 1, boxes: true, together: "" }; // what the address leaves out
const SPELT = { boxes: { true: "on", false: "off" } };

/** What a viewer has set, by the keys of the address (`names`); null = it is as it always begins. */
function spelt(look, names) {
  const word = (name) => (look[name] === OURS[name] ? null : SPELT[name]?.[look[name]] ?? String(look[name]));
  return Object.fromEntries(Object.entries(names).filter(([name]) => name in look).map(([name, key]) => [key, word(name)]));
}

export default function (component) {
  const { data, parentElement } = component;
  const { names, ...shown } = data;
  const emit = (_, look) => Object.keys(names).length && keepInAddress(spelt(look, names));
  let player = mounted.get(parentElement);
  if (player) {
    player.update(shown, emit);
    return;
  }
  const root = document.createElement("div");
  parentElement.appendChild(root);
  player = mount(root, shown, emit);
  mounted.set(parentElement, player);
}
