// What happened in the engine: dividers and error cards in the chat, the bar
// of a reload that failed.

import { $, drawRows, h } from "./dom.js";
import { place, span, withoutPlace } from "./format.js";

export function reloadText(notice) {
  const parts = [notice.generation === 1 ? "loaded" : "reloaded"];
  if (notice.generation !== undefined) {
    parts.push(`generation ${notice.generation}`);
  }
  if (notice.ms !== undefined) parts.push(span(notice.ms));
  return parts.join(", ");
}

// again: {text, run} of the reader's last message, for the newest reload.
export function dividerNode(notice, again) {
  return h("div", { class: "divider reload" },
    h("span", { class: "figures" }, reloadText(notice)),
    again ? h("button", { type: "button", class: "link", onclick: again.run,
      "data-focus": "again", dir: "auto" }, `Send “${again.text}” again`)
      : null);
}

const KINDS = {
  script: "Handler stopped", timeout: "Time limit", limit: "Limit reached",
  api: "API call refused", misuse: "Wrong use", unknown: "Outcome unknown",
  load: "Not loaded",
};

export const kindOf = (notice) => Object.hasOwn(KINDS, notice.error_kind)
  ? KINDS[notice.error_kind] : notice.error_kind ?? "Error";

export function traceback(notice) {
  if (!notice.traceback) return null;
  return h("details", {}, h("summary", {}, "Traceback"),
    h("pre", { tabindex: "0" }, notice.traceback));
}

export function errorCard(notice, inspect) {
  return h("article", { class: "card", "aria-label": "Error" },
    h("div", { class: "card-head" },
      h("b", {}, kindOf(notice)),
      h("span", { class: "muted" }, "only you see this")),
    h("p", { class: "what", dir: "auto" }, withoutPlace(notice)),
    h("div", { class: "card-foot" },
      place(notice) ? h("code", {}, place(notice)) : null,
      h("button", { type: "button", class: "link", onclick: inspect },
        "Show the update")),
    traceback(notice));
}

export function drawFailed(notice, generation) {
  const stays = generation === null ? "The version before goes on."
    : `Generation ${generation} goes on.`;
  drawRows($("failed"), notice ? [{
    key: notice.id, deps: [stays],
    make: () => h("div", { class: "bar" },
      h("p", {}, h("b", {}, "Not loaded: "),
        place(notice) ? [h("code", {}, place(notice)), " "] : null,
        h("span", { dir: "auto" }, withoutPlace(notice)), `. ${stays}`),
      traceback(notice)),
  }] : []);
}
