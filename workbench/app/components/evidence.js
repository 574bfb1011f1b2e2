// Words that triggered a cause. A click asks the player of their video for the second where they stand, by an event of
// the page: nothing runs on the server. Text from data only ever goes through textContent and title.

const shown = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const text = JSON.stringify(data);
  const before = shown.get(parentElement);
  if (before && before.text === text) return;
  const root = before ? before.root : add("div", "evidence", parentElement, "");
  shown.set(parentElement, { root, text });
  root.replaceChildren();
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Words of the evidence; each moves the player to where it stands");
  for (const one of data.buttons) {
    const button = add("button", "", root, "");
    button.type = "button";
    button.title = one.about;
    button.disabled = one.seconds === null;
    add("b", "", button, one.word).dir = "auto";
    add("span", "", button, one.place);
    button.onclick = () => {
      const detail = { key: one.player, seconds: one.seconds };
      document.dispatchEvent(new CustomEvent("workbench:seek", { detail }));
    };
  }
  if (data.more) add("span", "more", root, `and ${data.more} more`);
}

function add(name, className, parent, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.textContent = text;
  parent.appendChild(node);
  return node;
}
