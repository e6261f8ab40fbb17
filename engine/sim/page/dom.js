// Elements without a framework: `h` makes them, `drawRows` keeps a list of
// them in line with data. Texts only ever become text nodes.

export const $ = (id) => document.getElementById(id);

export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children.flat(3).filter((c) => c || c === 0));
  return el;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

const drawn = new WeakMap(); // element -> Map of key -> {deps, node}

function same(a, b) {
  return a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
}

// A remade row gives the focus to its element with the same data-focus.
function swap(from, to) {
  const held = from.contains(document.activeElement)
    ? document.activeElement : null;
  from.replaceWith(to);
  if (!held) return;
  const name = held.dataset.focus;
  const next = held === from ? to
    : name && to.querySelector(`[data-focus="${CSS.escape(name)}"]`);
  (next || to).focus({ preventScroll: true });
}

// A row that vanishes with the focus hands it to the next, the last to the one
// before. `gone` and `stay` tell rows by key, `keys` are those of before.
function heirOf(gone, stay, keys) {
  const at = keys.findIndex((key) =>
    gone.get(key)?.node.contains(document.activeElement));
  if (at < 0) return null;
  const key = keys.slice(at).find((k) => stay.has(k)) ??
    keys.slice(0, at).findLast((k) => stay.has(k));
  return stay.get(key);
}

// Rows are {key, deps, make}. An element stays as long as its deps do, so
// selection, focus and open parts survive every drawing.
export function drawRows(parent, rows) {
  const before = drawn.get(parent) ?? new Map();
  const keys = parent.contains(document.activeElement)
    ? [...before.keys()] : [];
  const after = new Map();
  for (const { key, deps, make } of rows) {
    let row = before.get(key);
    before.delete(key);
    if (!row || !same(row.deps, deps)) {
      const node = make();
      if (row) swap(row.node, node);
      row = { deps, node };
    }
    after.set(key, row);
  }
  const heir = heirOf(before, after, keys);
  for (const { node } of before.values()) node.remove();
  let at = parent.firstChild;
  for (const { node } of after.values()) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  drawn.set(parent, after);
  heir?.node.focus({ preventScroll: true });
}

// The elements of the rows that were drawn last, by key.
export const nodesOf = (parent) => new Map(
  [...drawn.get(parent) ?? []].map(([key, { node }]) => [key, node]));
