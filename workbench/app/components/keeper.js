// One on every page: gathers what components have written into the address and tells Python when it rests, so that a
// later run of the page writes the same address and not an older one.

const REST = 400; // milliseconds
const keeper = { tell: () => {}, listens: false };
let number = Date.now(); // what is set again is news too

export default function ({ setStateValue }) {
  keeper.tell = (values) => setStateValue("told", { values, number: ++number });
  if (keeper.listens) return;
  keeper.listens = true;
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
