// One on every page: gathers what components have written into the address and tells Python when it rests, so that a
// later run of the page writes the same address and not an older one. And it makes one step of the history of each act
// of the viewer, so that Back leads to where one was.

const REST = 400; // milliseconds
const keeper = { tell: () => {}, listens: false };
let number = Date.now(); // what is set again is news too

export default function ({ setStateValue }) {
  keeper.tell = (values) => setStateValue("told", { values, number: ++number });
  if (keeper.listens) return;
  keeper.listens = true;
  stepByActs();
  let pending = {}, query = "", timer = 0;
  const asked = () => `${location.pathname} ${new URLSearchParams(location.search).get("q")}`;
  document.addEventListener("workbench:address", ({ detail }) => {
    Object.assign(pending, detail);
    query = asked();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const values = pending;
      pending = {};
      if ("q" in values || asked() === query) keeper.tell(values); // else it was set on a query that was left since
    }, REST);
  });
}

// A page writes its choices into its address one by one, also those that nobody made: these replace the address.
function stepByActs() {
  const push = history.pushState.bind(history);
  let acted = false;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { acted = true; }, true);
  addEventListener("popstate", () => { acted = false; }, true);
  history.pushState = (state, title, url) => {
    const to = new URL(url, location.href);
    if (acted && !completes(to)) push(state, title, url);
    else history.replaceState(state, title, url);
    acted = false;
  };
}

// Whether an address is the one that stands there, with more in it.
function completes(to) {
  const more = new URLSearchParams(to.search);
  const here = [...new URLSearchParams(location.search)];
  return to.pathname === location.pathname && here.every(([key, value]) => more.get(key) === value);
}
