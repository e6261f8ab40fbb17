// Formatted text. Entity offsets count UTF-16 units, which is what string
// indexes are here: the text is cut into nodes and never becomes markup.

import { h } from "./dom.js";

const SAFE = new Set(["http:", "https:", "tg:", "mailto:"]);

export function safeUrl(text) {
  const guess = /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `https://${text}`;
  try {
    const url = new URL(guess);
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(url, children) {
  const href = safeUrl(url);
  if (!href) return h("span", {}, children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" },
    children);
}

// Until it is shown it is one button, without the links that are in it.
function spoiler(children) {
  const shown = h("span", { class: "shown" }, children);
  const el = h("button", { type: "button", class: "spoiler",
    "aria-label": "Hidden text, show", onclick: () => el.replaceWith(shown) },
  h("span", { "aria-hidden": "true" }, shown.textContent));
  return el;
}

// A long quotation shows its beginning.
function folded(children) {
  const more = h("button", { type: "button", class: "link",
    "aria-expanded": "false", onclick() {
      const open = more.parentNode.classList.toggle("open");
      more.setAttribute("aria-expanded", String(open));
      more.textContent = open ? "Show less" : "Show more";
    } }, "Show more");
  return h("blockquote", { class: "folded" },
    h("div", {}, children), more);
}

const wrap = (tag, cls) => (_, children) => h(tag, { class: cls }, children);

const make = {
  bold: wrap("strong"),
  italic: wrap("em"),
  underline: wrap("u"),
  strikethrough: wrap("s"),
  code: wrap("code"),
  pre: ({ entity }, children) => h("pre",
    { tabindex: "0", "data-language": entity.language }, children),
  blockquote: wrap("blockquote"),
  expandable_blockquote: (_, children) => folded(children),
  spoiler: (_, children) => spoiler(children),
  url: ({ text }, children) => link(text, children),
  email: ({ text }, children) => link(`mailto:${text}`, children),
  text_link: ({ entity }, children) => link(entity.url, children),
  bot_command: ({ text, onCommand }, children) => h("button",
    { type: "button", class: "command", onclick: () => onCommand(text) },
    children),
};

const plain = wrap("span", "ref");
const BLOCKS = ["pre", "blockquote", "expandable_blockquote"];

function cut(text, entities, from, to, onCommand) {
  const out = [];
  let at = from;
  for (let i = 0; i < entities.length;) {
    const entity = entities[i++];
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (end <= start) continue;
    const inner = [];
    while (i < entities.length && entities[i].offset < end) {
      inner.push(entities[i++]);
    }
    if (start > at) out.push(text.slice(at, start));
    const children = cut(text, inner, start, end, onCommand);
    const part = { entity, text: text.slice(start, end), onCommand };
    const known = Object.hasOwn(make, entity.type) ? make[entity.type] : plain;
    out.push(known(part, children));
    // The break behind a block is that of the block.
    const isBroken = BLOCKS.includes(entity.type) && text[end] === "\n";
    at = isBroken ? end + 1 : end;
  }
  if (at < to) out.push(text.slice(at, to));
  return out;
}

export function richText(text, entities, onCommand) {
  const sorted = [...(entities ?? [])].sort(
    (a, b) => a.offset - b.offset || b.length - a.length);
  return cut(text, sorted, 0, text.length, onCommand);
}
