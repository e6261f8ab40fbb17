// Keys and panes. Every key has a visible control; single letters act only
// on the messages and can be switched off.

import { $ } from "./dom.js";

const store = {
  get: (name) => {
    try {
      return localStorage.getItem(`moonlet.${name}`);
    } catch {
      return null; // storage is switched off
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(`moonlet.${name}`, value);
    } catch {
      // It holds until the page is closed.
    }
  },
};

function themes() {
  const root = document.documentElement;
  const order = ["", "light", "dark"];
  const words = { "": "Auto", light: "Light", dark: "Dark" };
  const show = () => {
    const now = root.dataset.theme ?? "";
    $("theme").querySelector("span").textContent = words[now];
    $("theme").setAttribute("aria-label", `Colours: ${words[now]}`);
  };
  $("theme").addEventListener("click", () => {
    const now = root.dataset.theme ?? "";
    const next = order[(order.indexOf(now) + 1) % order.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    store.set("theme", next);
    show();
  });
  show();
}

function walk(from, by) {
  const rows = [...$("messages").querySelectorAll(".row")];
  const at = rows.indexOf(from);
  const next = at < 0 ? rows.at(-1) : rows[at + by];
  next?.focus();
}

// What a single key does with the message that has the focus, if any.
function onMessage(app, key, row) {
  if (key === "j" || key === "ArrowDown") walk(row, 1);
  else if (key === "k" || key === "ArrowUp") walk(row, -1);
  else if (key === "r") app.answer(Number(row?.dataset.message));
  else if (key === "c") $("composer").focus();
  else if (key === "i") row?.querySelector(".when")?.click();
  else if (/^[1-9]$/.test(key)) {
    row?.querySelectorAll(".inline .key")[key - 1]?.click();
  } else return false;
  return true;
}

const PANES = [["rail", "#rail [aria-current], #rail button"],
  ["chat", "#composer"], ["pane", "#timeline"]];

function nextPane(app, by) {
  const at = PANES.findIndex(([id]) =>
    $(id).contains(document.activeElement));
  const [id, target] = PANES[(Math.max(at, 0) + by + 3) % 3];
  app.show(id);
  document.querySelector(target)?.focus();
}

function escape(app, e) {
  if (document.body.dataset.view === "pane") app.show("chat");
  else if (e.target === $("composer")) walk(null, 0);
  else $("composer").focus();
}

export function bindKeys(app) {
  themes();
  const single = $("single");
  single.checked = store.get("keys") !== "off";
  single.addEventListener("change", () =>
    store.set("keys", single.checked ? "on" : "off"));
  $("help").addEventListener("click", () => $("keys").showModal());
  $("pane-close").addEventListener("click", () => app.show("chat"));
  $("tabs").addEventListener("click", (e) => {
    const to = e.target.closest("button")?.dataset.to;
    if (to) app.show(to);
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || $("keys").open) return;
    if (e.key === "F6") {
      e.preventDefault();
      nextPane(app, e.shiftKey ? -1 : 1);
    } else if (e.key === "Escape") escape(app, e);
    else if ($("log").contains(e.target) && single.checked) {
      const row = e.target.closest(".row");
      if (e.target.matches("button") && /^Arrow/.test(e.key)) return;
      if (onMessage(app, e.key, row)) e.preventDefault();
    }
  });
}
