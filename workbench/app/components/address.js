// What a viewer sets inside a component stands in the address at once, without a run of the page. The keeper of the
// page (keeper.js) hears of it and tells Python a moment later.

/** Set keys of the address, or take them out (null). */
function keepInAddress(values) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(values)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString().replaceAll("*", "%2A").replaceAll("%7E", "~"); // as Python spells them
  history.replaceState(history.state, "", `${location.pathname}?${text}${location.hash}`);
  document.dispatchEvent(new CustomEvent("workbench:address", { detail: values }));
}
