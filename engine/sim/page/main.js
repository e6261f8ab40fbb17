// The browser chat of the simulator. This file puts the parts together: it
// owns the store and the view, sends what people do, and draws once a frame.

import { $ } from "./dom.js";
import { count } from "./format.js";
import { newChat, chatTitle, peopleOf } from "./chat.js";
import { newComposer } from "./composer.js";
import { openFeed, post, readLog, Refused, why } from "./feed.js";
import { bindKeys } from "./keys.js";
import { nameOf } from "./message.js";
import { drawFailed } from "./notices.js";
import { newPane } from "./pane.js";
import { newRail } from "./rail.js";
import { applyEvent, applyLog, applySnapshot, newStore, putMessage }
  from "./store.js";
import { groupOfMessage, timeline } from "./timeline.js";

const SLOW_MS = 2000; // a press without an answer shows it
const PRESS_MAX = 30000; // and is forgotten, as the real client does
const TOAST_MS = 6000;

const store = newStore();
const view = {
  chat: null, as: null, updates: true, calls: true,
  marked: null, // group of the timeline that was asked for
  unfolded: new Set(), // keys whose JSON is open
  revealed: new Set(), // deleted messages that are shown
  hidden: new Map(), // reply keyboards that are out of sight, by place
};
const app = { store, view, ready: false, changed, open, send, show,
  inspectNotice, goTo, trouble, answer,
  act: { slow: SLOW_MS, press, inspect, reveal, vote, copy,
    me: () => view.as, answer, query: (text) => composer.query(text),
    command: (text) => send(text) } };

const chat = newChat(app);
const composer = newComposer(app);
const rail = newRail(app);
const pane = newPane(app);

let frame = 0;

function changed() {
  frame ||= requestAnimationFrame(draw);
}

function changedIn(ms) {
  setTimeout(changed, ms);
}

function draw() {
  frame = 0;
  if (!store.users.size) return;
  settleView();
  chat.draw();
  composer.draw();
  rail.draw();
  pane.draw();
  drawFailed(store.failed, store.generation);
  drawTop();
}

function drawTop() {
  const errors = store.notices.filter((n) => n.kind === "error").length;
  const told = errors ? count(errors, "error") : "";
  $("errors").hidden = !errors;
  $("errors").textContent = told;
  $("generation").textContent = store.generation === null ? ""
    : `generation ${store.generation}`;
  document.title = [told, `${nameOf(store.users.get(view.as))}, ` +
    chatTitle(app), "moonlet"].filter(Boolean).join(" · ");
}

// Where one is stands in the address, so that a reload comes back to it.
function settleView() {
  if (view.chat === null) {
    const [id, as] = location.hash.slice(1).split("/").map(Number);
    view.chat = id || null;
    view.as = as || null;
  }
  if (!store.users.has(view.chat) && !store.chats.has(view.chat)) {
    view.chat = store.users.keys().next().value;
  }
  if (store.users.has(view.chat)) view.as = view.chat;
  const people = peopleOf(store, view.chat);
  if (!people.some((p) => p.id === view.as)) {
    view.as = people[0]?.id ?? store.users.keys().next().value;
  }
}

function open(id, as) {
  view.chat = id;
  view.as = as ?? view.as;
  settleView();
  readIfNew(view.chat);
  history.replaceState(null, "", `#${view.chat}/${view.as}`);
  show("chat");
  if (matchMedia("(pointer: fine)").matches) $("composer").focus();
  changed();
}

// A chat that neither the snapshot nor an event has brought yet.
async function readIfNew(id) {
  if (store.logs.has(id)) return;
  try {
    applyLog(store, await readLog(id));
    changed();
  } catch {
    // The connection is gone; the snapshot of the next one comes by itself.
  }
}

function show(name) {
  const before = document.body.dataset.view;
  document.body.dataset.view = name;
  for (const tab of $("tabs").querySelectorAll("button")) {
    if (tab.dataset.to === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  if (name === "pane") $("timeline").focus();
  else if (before === "pane" && $("pane").contains(document.activeElement)) {
    document.querySelector(".inspect")?.focus();
  }
}

function trouble(text) {
  $("trouble").textContent = text;
}

function answer(id) {
  const found = store.logs.get(view.chat)?.get(id);
  if (found && !found.message.deleted) composer.replyTo(found.message);
}

let sent = 0;

// With a file {kind, name, base64} the text is its caption; a contact or a
// location stands alone; reply is the message that is answered.
function send(text, { file, contact, location, reply } = {}) {
  const what = file?.name ?? (contact && "Contact") ??
    (location && "Location");
  const entry = { key: ++sent, chat: view.chat, from: view.as, text, file,
    contact, location, reply, what, waiting: false };
  store.outbox.push(entry);
  trouble("");
  changed();
  chat.toEnd();
  deliver();
}

function bodyOf({ text, file, contact, location }) {
  if (contact || location) return { contact, location };
  if (!file) return { text };
  return { caption: text.trim() ? text : undefined,
    [file.kind]: { name: file.name, base64: file.base64 } };
}

let delivering = false;

// One at a time and in order; while the engine is away they wait.
async function deliver() {
  if (delivering) return;
  delivering = true;
  while (store.outbox.length) {
    const entry = store.outbox[0];
    try {
      const { chat: to, from, reply } = entry;
      const message = await post("/sim/send", { from, chat: to,
        reply_to: reply?.message_id, ...bodyOf(entry) });
      store.outbox.shift();
      putMessage(store, to, message);
    } catch (e) {
      if (!(e instanceof Refused)) {
        for (const left of store.outbox) left.waiting = true;
        trouble("The engine does not answer. Messages wait.");
        break;
      }
      store.outbox.shift();
      composer.refuse(entry, e.message);
    }
    changed();
  }
  delivering = false;
  changed();
}

// A short word of the page itself, where the bot's stand.
function toast(text) {
  store.answers.push({ chat: view.chat, from: view.as, text, alert: false });
  forgetToast(store.answers.at(-1));
  changed();
}

function forgetToast(answer) {
  setTimeout(() => {
    store.answers = store.answers.filter((a) => a !== answer);
    changed();
  }, TOAST_MS);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast(`Not copied, the browser does not allow it: ${text}`);
  }
}

// A press on the chosen option takes the vote back.
async function vote(message, at) {
  const mine = message.votes?.[view.as] ?? [];
  const many = message.poll.allows_multiple_answers;
  const rest = many ? mine.filter((i) => i !== at) : [];
  try {
    await post("/sim/vote", { from: view.as, chat: view.chat,
      message_id: message.message_id,
      options: mine.includes(at) ? rest : [...rest, at] });
  } catch (e) {
    trouble(`The vote was not taken: ${why(e)}.`);
  }
}

async function press(message, data) {
  const { chat: where, as: from } = view;
  const key = `${where}:${message.message_id}:${from}:${data}`;
  const mine = { chat: where, message: message.message_id, from, data,
    since: Date.now() };
  store.presses.set(key, mine);
  changed();
  const forget = () => {
    if (store.presses.get(key) === mine) store.presses.delete(key);
    changed();
  };
  changedIn(SLOW_MS + 50);
  setTimeout(forget, PRESS_MAX);
  try {
    await post("/sim/click", { from, chat: where,
      message_id: message.message_id, data });
  } catch (e) {
    forget();
    trouble(`The press was not taken: ${why(e)}.`);
  }
}

function reveal(message) {
  view.revealed.add(`${view.chat}:${message.message_id}`);
  changed();
}

function inspectGroup(group) {
  show("pane");
  if (group) pane.reveal(group.key);
}

function inspect(message) {
  inspectGroup(groupOfMessage(store, view.chat, message));
}

function inspectNotice(notice) {
  inspectGroup(timeline(store).find((row) =>
    row.errors?.some((e) => e.notice === notice)));
}

// From a line of the inspector to the message that it is about.
function goTo(id, message) {
  open(id);
  draw();
  chat.reveal(message);
  const row = document.querySelector(`[data-message="${message}"]`);
  row?.scrollIntoView({ block: "center" });
  row?.focus({ preventScroll: true });
}

$("errors").addEventListener("click", () => {
  const last = store.notices.findLast((n) => n.kind === "error");
  if (last.chat_id) open(last.chat_id);
  inspectNotice(last);
});

let again = 0;

function connection({ live, until }) {
  clearInterval(again);
  const pill = $("pill");
  const told = () => {
    const seconds = Math.max(Math.ceil((until - Date.now()) / 1000), 0);
    pill.textContent = live ? "● Live" : `◌ Reconnecting in ${seconds} s`;
  };
  pill.className = live ? "pill live" : "pill";
  $("state").textContent = live ? "Live" : "Reconnecting";
  told();
  if (!live) {
    again = setInterval(told, 1000);
    return;
  }
  if (store.outbox.length) {
    for (const entry of store.outbox) entry.waiting = false;
    trouble("");
    deliver();
  }
  changed();
}

function onEvent(type, data, id) {
  const answers = store.answers.length;
  applyEvent(store, type, data, id);
  if (type === "action") changedIn(5050);
  if (store.answers.length > answers && !data.show_alert) {
    forgetToast(store.answers.at(-1));
  }
  changed();
}

function onSnapshot(world, anew) {
  applySnapshot(store, world, anew);
  changed();
  requestAnimationFrame(() => {
    app.ready = true;
  });
}

$("mode").textContent = location.pathname === "/" ? "sim" : "play";
bindKeys(app);
show("chat");
addEventListener("hashchange", () => {
  view.chat = null;
  changed();
});
openFeed({ onEvent, onSnapshot, onState: connection });
