// A box that scrolls over a long list of rows, of which a part is in the
// document. It follows the end only while the reader is there; otherwise
// nothing moves under the eye, and what came is counted in the button.

import { drawRows, nodesOf } from "./dom.js";

const END = 50; // px: so near counts as the end
const EDGE = 600; // px from an end of the part the next rows are fetched
const PART = 150; // rows in the document
const STEP = 50;

// The rows in sight: returns what puts the first of them that is left where
// it was.
function hold(box, list) {
  const { top, bottom } = box.getBoundingClientRect();
  const seen = [];
  for (const [key, node] of nodesOf(list)) {
    const place = node.getBoundingClientRect();
    if (place.top >= bottom) break;
    if (place.bottom > top) seen.push([key, place.top]);
  }
  return () => {
    const nodes = nodesOf(list);
    const [key, before] = seen.find(([k]) => nodes.has(k)) ?? [];
    if (key === undefined) return;
    const moved = nodes.get(key).getBoundingClientRect().top - before;
    if (moved) box.scrollTop += moved;
  };
}

// `list` is the element of the rows, in the box or the box itself. Boxes that
// stick also follow when older rows grow.
export function newScroll(box, button, { list = box, sticks = false } = {}) {
  const label = button.querySelector("span");
  let rows = [];
  let first = null; // key of the first row of the part; null: it is the last
  let missed = 0;
  let end = true;

  const last = () => Math.max(rows.length - PART, 0);
  const start = () => first === null ? last()
    : Math.max(rows.findIndex((row) => row.key === first), 0);
  const below = () => box.scrollHeight - box.scrollTop - box.clientHeight;
  // A box that is out of sight has no size: it stays as it was.
  const atEnd = () => box.clientHeight === 0 ? end
    : start() >= last() && below() < END;

  function draw() {
    const at = start();
    drawRows(list, rows.slice(at, at + PART));
    let place = at;
    for (const node of list.children) {
      place += 1;
      if (node.localName !== "article") continue;
      node.setAttribute("aria-posinset", place);
      node.setAttribute("aria-setsize", rows.length);
    }
  }

  function show() {
    button.hidden = missed === 0;
    if (missed) label.textContent = `${missed} new`;
  }

  function toEnd() {
    first = null;
    missed = 0;
    end = true;
    draw();
    box.scrollTop = box.scrollHeight;
    show();
  }

  function move(at) {
    const keep = hold(box, list);
    first = rows[Math.min(Math.max(at, 0), last())]?.key ?? null;
    draw();
    keep();
  }

  // Brings the row into the document.
  function reveal(key) {
    const at = rows.findIndex((row) => row.key === key);
    const from = start();
    if (at < 0 || (at >= from && at < from + PART)) return;
    end = false;
    move(at - STEP);
  }

  // Where the part begins when the rows become others.
  function stay(all) {
    const left = new Set(all.map((row) => row.key));
    first = rows.slice(start()).find((row) => left.has(row.key))?.key ?? null;
  }

  box.addEventListener("scroll", () => {
    end = atEnd();
    if (end && missed) toEnd();
    else if (box.scrollTop < EDGE && start() > 0) move(start() - STEP);
    else if (below() < EDGE && start() < last()) move(start() + STEP);
  });
  box.addEventListener("keydown", (e) => {
    if (e.target.matches("pre") || e.ctrlKey || e.altKey || e.metaKey ||
        e.shiftKey) return;
    const onRow = e.target !== box;
    if (e.key === "End") toEnd();
    else if (e.key === "Home") {
      move(0);
      box.scrollTop = 0;
    } else return;
    e.preventDefault();
    if (!onRow) return;
    const rest = e.key === "End" ? list.lastElementChild
      : list.firstElementChild;
    (rest.matches("[tabindex]") ? rest : box).focus({ preventScroll: true });
  });
  new ResizeObserver(() => end && toEnd()).observe(box);
  button.addEventListener("click", () => {
    toEnd();
    box.focus();
  });

  return {
    toEnd,
    reveal,
    // `added` of the rows are new; `rest` draws what else is in the box.
    draw(all, added, rest = () => {}) {
      const keep = end ? () => {} : hold(box, list);
      if (end) first = null;
      else stay(all);
      rows = all;
      draw();
      rest();
      if (end && (sticks || added)) {
        toEnd();
        return;
      }
      keep();
      end = atEnd();
      if (!end) missed += added;
      show();
    },
  };
}
