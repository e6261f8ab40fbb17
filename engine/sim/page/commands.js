// The list of the bot's commands that opens when a message begins with `/`.

import { $, drawRows, h } from "./dom.js";

// given() tells the commands, set(text) fills the field, send(text) sends.
export function newCommands(field, { given, set, send }) {
  const list = $("commands");
  let picked = 0;
  let closed = false;

  function offered() {
    const typed = /^\/(\w*)$/.exec(field.value)?.[1];
    if (typed === undefined || closed || document.activeElement !== field) {
      return [];
    }
    return given().filter((c) => c.command.startsWith(typed.toLowerCase()));
  }

  const rowOf = (c, i) => ({
    key: c.command, deps: [c, i === picked],
    make: () => h("li", { role: "option", id: `command-${c.command}`,
      "aria-selected": String(i === picked),
      onpointerdown(e) {
        e.preventDefault(); // the field keeps the focus
        send(`/${c.command}`);
      } }, h("b", {}, `/${c.command}`),
    h("span", { class: "muted", dir: "auto" }, c.description)),
  });

  function draw() {
    const shown = offered();
    picked = Math.max(Math.min(picked, shown.length - 1), 0);
    list.hidden = shown.length === 0;
    drawRows(list, shown.map(rowOf));
    if (shown.length) {
      field.setAttribute("aria-activedescendant",
        `command-${shown[picked].command}`);
    } else field.removeAttribute("aria-activedescendant");
  }

  const keys = {
    ArrowDown: (shown) => {
      picked = (picked + 1) % shown.length;
    },
    ArrowUp: (shown) => {
      picked = (picked - 1 + shown.length) % shown.length;
    },
    Enter: (shown) => send(`/${shown[picked].command}`),
    Tab: (shown) => set(`/${shown[picked].command} `),
    Escape: () => {
      closed = true;
    },
  };

  // True: the key was meant for the list.
  function key(e) {
    const shown = offered();
    if (!shown.length || e.shiftKey || !Object.hasOwn(keys, e.key)) {
      return false;
    }
    e.preventDefault();
    e.stopPropagation();
    keys[e.key](shown);
    draw();
    return true;
  }

  function typed() {
    if (!field.value) closed = false;
    picked = 0;
    draw();
  }

  return { draw, key, typed };
}
