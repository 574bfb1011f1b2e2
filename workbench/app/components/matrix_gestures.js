// What keys, mouse and fingers do to the view of a matrix.

const KEYS = {
  ArrowLeft: (view, times) => view.step(times, 0),
  ArrowRight: (view, times) => view.step(-times, 0),
  ArrowUp: (view, times) => view.step(0, times),
  ArrowDown: (view, times) => view.step(0, -times),
  "+": (view) => view.zoom(1.5),
  "=": (view) => view.zoom(1.5),
  "-": (view) => view.zoom(1 / 1.5),
  0: (view) => view.fit(),
  p: (view) => view.toggle("pairs"),
  b: (view) => view.toggle("borders"),
  "[": (view) => view.contrast(-1),
  "]": (view) => view.contrast(1),
  Enter: (view) => view.follow(view.cellAt(view.width / 2, view.height / 2)),
};

function listen(view) {
  const { canvas, frame } = view;
  const fingers = new Map();
  let travelled = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const between = () => {
    const [a, b] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  };
  canvas.onpointerdown = (event) => {
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) travelled = 0;
    canvas.setPointerCapture(event.pointerId);
    frame.classList.remove("keys");
  };
  canvas.onpointermove = (event) => {
    const now = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) { view.point(view.cellAt(now.x, now.y)); return; }
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (fingers.size === 2) {
      const old = between();
      fingers.set(event.pointerId, now);
      const pinch = between();
      view.pan(pinch.x - old.x, pinch.y - old.y);
      view.zoom(pinch.apart / old.apart, pinch.x, pinch.y);
    } else if (travelled >= 4) {
      fingers.set(event.pointerId, now);
      view.pan(now.x - before.x, now.y - before.y);
    }
  };
  canvas.onpointerup = (event) => {
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    const { x, y } = place(event);
    if (travelled >= 4) view.point(view.cellAt(x, y));
    if (!alone || travelled >= 4 || event.button > 1) return;
    view.follow(view.cellAt(x, y), event.ctrlKey || event.metaKey || event.button === 1);
  };
  canvas.onpointercancel = (event) => fingers.delete(event.pointerId);
  canvas.onpointerleave = () => view.point(null);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    view.zoom(1.0015 ** -event.deltaY, x, y);
    view.point(view.cellAt(x, y), 200);
  }, { passive: false });
  canvas.onkeydown = (event) => {
    const act = !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    frame.classList.add("keys"); // shows the ring at the middle
    act(view, event.shiftKey ? 5 : 1);
    view.point(view.cellAt(view.width / 2, view.height / 2), 200);
  };
  canvas.onblur = () => frame.classList.remove("keys");
}
