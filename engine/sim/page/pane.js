// The inspector: each update with the calls it led to, what the engine told,
// JSON on demand.

import { $, drawRows, h } from "./dom.js";
import { clock, iso, place, short, span, withoutPlace } from "./format.js";
import { nameOf, preview } from "./message.js";
import { kindOf, reloadText, traceback } from "./notices.js";
import { newScroll } from "./scroll.js";
import { timeline } from "./timeline.js";

const time = (at) => h("time", { class: "figures", datetime: iso(at),
  title: iso(at) }, clock(at, true));

// The message that an update brought or a call made, if a chat shows it.
function aboutOf({ body, call }) {
  const message = call ? call.result : body.message ?? body;
  return message?.message_id && message.chat ? message : null;
}

function jsonNode(app, row, value) {
  const text = JSON.stringify(value, null, 2);
  const copy = h("button", { type: "button", class: "link", "data-focus":
    "copy", async onclick() {
    await navigator.clipboard?.writeText(text);
    copy.textContent = "Copied";
  } }, "Copy JSON");
  const about = aboutOf(row);
  const jump = about && h("button", { type: "button", class: "link",
    "data-focus": "jump", onclick: () =>
      app.goTo(about.chat.id, about.message_id) }, "Show message");
  return h("div", { class: "json" },
    h("div", { class: "card-foot" }, jump, copy),
    h("pre", { tabindex: "0" }, text));
}

function updateLine({ kind, body }) {
  const text = body.data ?? body.text ?? body.query ?? body.question ??
    (body.message_id ? preview(body) : "");
  const who = body.from ?? body.user;
  return [who ? nameOf(who) : "", short(String(text), 60)];
}

function callLine({ method, params }) {
  const text = params?.text ?? params?.caption ?? params?.question ??
    params?.title ?? params?.action ?? "";
  return [method, short(String(text), 60)];
}

function statusNode({ status, error }) {
  if (status === 200) return h("span", { class: "status figures" }, "200");
  const why = status ? `${status} ${error?.description ?? error ?? ""}`
    : "no answer";
  return h("span", { class: "status bad figures" }, why.trim());
}

function line(app, row, cls, parts, json) {
  const { key } = row;
  const open = app.view.unfolded.has(key);
  return h("div", { class: `entry ${cls}` },
    h("button", { type: "button", class: "entry-head", "data-focus": key,
      "aria-expanded": String(open), onclick() {
        if (!app.view.unfolded.delete(key)) app.view.unfolded.add(key);
        app.changed();
      } }, parts),
    open ? jsonNode(app, row, json) : null);
}

// The simulator's clock ticks in milliseconds.
const spent = (ms) => span(Math.max(Math.round(ms), 0));

const callParts = ({ call }, since) => {
  const [method, text] = callLine(call);
  const ms = since === undefined ? null : (call.at - since) * 1000;
  return [
    h("span", { class: "at figures" },
      ms === null ? time(call.at) : `+${spent(ms)}`),
    h("span", { class: "what" }, h("b", {}, method), " ",
      h("span", { class: "muted", dir: "auto" }, text)),
    statusNode(call),
  ];
};

const callJson = ({ call }) => ({ method: call.method, params: call.params,
  ...(call.status === 200 ? { result: call.result }
    : { error: call.error ?? null }) });

function errorNode(notice) {
  return h("div", { class: "entry error" },
    h("div", { class: "entry-head" },
      h("span", { class: "at" }, kindOf(notice)),
      h("span", { class: "what" },
        place(notice) ? [h("code", {}, place(notice)), " "] : null,
        h("span", { dir: "auto" }, withoutPlace(notice)))),
    traceback(notice));
}

function groupNode(app, row) {
  const { view } = app;
  const { update, key } = row;
  const [who, text] = updateLine(row);
  const last = row.calls.at(-1)?.call.at;
  const calls = view.calls ? row.calls : [];
  return h("div", { class: `group${view.marked === key ? " marked" : ""}`,
    "data-key": key, tabindex: "-1", role: "group",
    "aria-label": who ? `${row.kind} of ${who}` : row.kind },
  view.updates ? line(app, row, "update", [
    h("span", { class: "at" }, time(update.at)),
    h("span", { class: "what" }, h("b", {}, row.kind), " ",
      h("span", { dir: "auto" }, short(who, 40)), " ",
      h("span", { class: "muted", dir: "auto" }, text)),
    h("span", { class: "status figures" },
      last === undefined ? update.state ?? ""
        : spent((last - update.at) * 1000)),
  ], update.update) : null,
  calls.map((c) => line(app, c, "call", callParts(c,
    view.updates ? update.at : undefined), callJson(c))),
  row.errors.map((e) => errorNode(e.notice)));
}

function noticeNode(notice) {
  if (notice.kind === "error") {
    return h("div", { class: "group" }, errorNode(notice));
  }
  const text = { reload: reloadText(notice), ready: "the engine is ready",
    reload_failed: [h("b", { class: "bad" }, "not loaded "),
      place(notice) ? [h("code", {}, place(notice)), " "] : null,
      h("span", { dir: "auto" }, withoutPlace(notice))] }[notice.kind];
  return h("div", { class: "entry told" }, h("div", { class: "entry-head" },
    h("span", { class: "at" }, time(notice.at)),
    h("span", { class: "what figures" }, text ?? notice.kind)));
}

function rowFor(app, row) {
  const { view } = app;
  if (row.notice) {
    return { key: row.key, deps: [row.notice],
      make: () => noticeNode(row.notice) };
  }
  if (row.call) {
    if (!view.calls) return null;
    return { key: row.key, deps: [row.call, view.unfolded.has(row.key)],
      make: () => h("div", { class: "group" },
        line(app, row, "call", callParts(row), callJson(row))) };
  }
  if (!view.updates && !(view.calls && row.calls.length) &&
      !row.errors.length) return null;
  const keys = [row, ...row.calls].map((r) => view.unfolded.has(r.key));
  return { key: row.key, make: () => groupNode(app, row),
    deps: [row.update, view.updates, view.calls, view.marked === row.key,
      ...keys, ...row.calls.map((c) => c.call), row.errors.length] };
}

function hintRow({ updates, calls }, story) {
  const text = !story ? "Send a message and its whole way appears here."
    : !updates && !calls ? "Updates and Calls are both switched off."
      : `${updates ? "Calls" : "Updates"} are switched off, and nothing ` +
        "else is there.";
  return { key: "hint", deps: [text],
    make: () => h("p", { class: "muted hollow" }, text) };
}

export function newPane(app) {
  const box = newScroll($("timeline"), $("pane-newer"));
  let known = new Set();

  function drawChips() {
    drawRows($("chips"), ["updates", "calls"].map((name) => ({
      key: name, deps: [app.view[name]],
      make: () => h("button", { class: "chip", "data-focus": "chip",
        "aria-pressed": String(app.view[name]), onclick() {
          app.view[name] = !app.view[name];
          app.changed();
        } }, name === "updates" ? "Updates" : "Calls"),
    })));
  }

  function draw() {
    const all = timeline(app.store);
    const rows = all.map((row) => rowFor(app, row)).filter(Boolean);
    const story = all.some((row) => row.update);
    const shown = rows.filter((row) => !row.key.startsWith("n")).length;
    if (!story || !shown) rows.push(hintRow(app.view, story));
    const keys = all.flatMap((r) => [r, ...r.calls ?? [], ...r.errors ?? []])
      .map((r) => r.key);
    const fresh = keys.filter((key) => !known.has(key)).length;
    known = new Set(keys);
    drawChips();
    box.draw(rows, fresh);
  }

  // Shows a group: the cause of a message or of an error.
  function reveal(key) {
    app.view.updates = true;
    app.view.marked = key;
    draw();
    box.reveal(key);
    const node = $("timeline").querySelector(
      `[data-key="${CSS.escape(key)}"]`);
    node?.scrollIntoView({ block: "nearest" });
    node?.focus({ preventScroll: true });
  }

  return { draw, reveal };
}
