// The chat column: whom one writes as, the messages, typing dots, answers to
// buttons, START.

import { $, drawRows, h, icon } from "./dom.js";
import { short } from "./format.js";
import { avatar, BOT, messageNode, nameOf, pendingNode, preview, service }
  from "./message.js";
import { dividerNode, errorCard } from "./notices.js";
import { newScroll } from "./scroll.js";
import { chatItems } from "./store.js";

const SPOKEN_MAX = 20;
const SPEAK_EACH = 3;

export const botName = (store) =>
  nameOf(store.bots.values().next().value ?? { first_name: "Bot" });

export function peopleOf(store, chat) {
  const members = store.chats.get(chat)?.members;
  const ids = members?.map((m) => m.user?.id ?? m.id ?? m);
  const people = [...store.users.values()];
  return ids ? people.filter((p) => ids.includes(p.id)) : people;
}

export const chatTitle = ({ store, view }) => store.chats.has(view.chat)
  ? nameOf(store.chats.get(view.chat)) : botName(store);

function asWhom(app) {
  const { store, view } = app;
  const me = nameOf(store.users.get(view.as));
  if (!store.chats.has(view.chat)) return h("span", {}, "as ", h("b", {}, me));
  const people = peopleOf(store, view.chat);
  return h("label", {}, "as ", h("select", {
    "aria-label": "Write as", "data-focus": "as",
    onchange: (e) => app.open(view.chat, Number(e.target.value)),
  }, people.map((p) => h("option",
    { value: p.id, selected: p.id === view.as }, nameOf(p)))));
}

function drawHead(app) {
  const { store, view } = app;
  const title = chatTitle(app);
  const group = store.chats.has(view.chat);
  const people = group ? peopleOf(store, view.chat) : [];
  drawRows($("chat-head"), [{
    key: "head",
    deps: [title, view.chat, view.as, nameOf(store.users.get(view.as)),
      ...people, people.length],
    make: () => h("div", { class: "who" },
      avatar(group ? view.chat : BOT, title),
      h("div", { class: "names" },
        h("h2", { dir: "auto" }, title),
        h("div", { class: "muted", dir: "auto" },
          group ? "group, " : "private chat, ", asWhom(app))),
      h("button", { class: "quiet inspect", onclick: () => app.show("pane"),
        "data-focus": "inspect" }, icon("inspect"), h("span", {}, "Inspect"))),
  }]);
}

function pressesOf(store, view, message) {
  const found = new Map();
  for (const press of store.presses.values()) {
    if (press.chat === view.chat && press.message === message.message_id &&
        press.from === view.as) found.set(press.data, press);
  }
  return found;
}

// Messages of one media group that follow each other are one item, those that
// were deleted stand behind it.
function gathered(items) {
  const all = [];
  for (const item of items) {
    const group = item.message?.media_group_id;
    const isOfIt = ({ message }) =>
      group && message?.media_group_id === group;
    const last = all.findLast((i) => !isOfIt(i) || !i.message.deleted);
    const joins = last && isOfIt(last) && !item.message.deleted;
    if (joins) last.album = [...last.album ?? [last.message], item.message];
    else all.push({ ...item });
  }
  return all;
}

function lookOf(app, items, i) {
  const { store, view } = app;
  const { message, album } = items[i];
  const same = (other) => other?.message && !other.message.deleted &&
    !service(other.message) && other.message.from?.id === message.from?.id;
  return {
    own: message.from?.id === view.as,
    album,
    first: !same(items[i - 1]),
    last: !same(items[i + 1]),
    named: store.chats.has(view.chat),
    presses: pressesOf(store, view, message),
    revealed: view.revealed.has(`${view.chat}:${message.message_id}`),
  };
}

// The look is made when the row is drawn: most of thousands are not.
function messageRow(app, items, i) {
  const { message, album } = items[i];
  let look = null;
  return {
    key: `${app.view.chat}:m${message.message_id}`,
    message,
    album,
    get deps() {
      look = lookOf(app, items, i);
      const pressed = [...look.presses.values()].map((p) =>
        `${p.data}${Date.now() - p.since > app.act.slow}`).join();
      return [message, look.own, look.first, look.last, look.revealed,
        pressed, ...album ?? []];
    },
    make: () => messageNode(message, look, app.act),
  };
}

// What the newest reload offers to send again: the reader's last text, if it
// was sent before that reload.
function againOf(app, items) {
  const at = items.findLastIndex((i) => i.notice?.kind === "reload");
  const mine = (i) => i.message?.text && i.message.from?.id === app.view.as;
  const last = items.findLastIndex(mine);
  if (at < 0 || last < 0 || last > at) return [null, null];
  const { text } = items[last].message;
  return [items[at].notice, { text: short(text, 24),
    run: () => app.send(text) }];
}

function noticeRow(app, notice, [newest, again]) {
  const { chat } = app.view;
  const offer = notice === newest ? again : null;
  return {
    key: `${chat}:n${notice.id}`,
    deps: [notice, offer?.text, app.view.as],
    make: () => notice.kind === "reload" ? dividerNode(notice, offer)
      : errorCard(notice, () => app.inspectNotice(notice)),
  };
}

function emptyRow(app) {
  const { store, view } = app;
  const group = store.chats.has(view.chat);
  const name = chatTitle(app);
  const as = nameOf(store.users.get(view.as));
  return { key: `${view.chat}:empty`, deps: [name, as], make: () =>
    h("div", { class: "empty" },
      avatar(group ? view.chat : BOT, name),
      h("h3", { dir: "auto" }, name),
      h("p", { class: "muted", dir: "auto" }, group
        ? "Nobody has written in this group yet."
        : `This is what ${as} sees before the first message.`),
      group ? null : h("button", { type: "button", class: "main start",
        "data-focus": "start", onclick: () => app.send("/start") },
      "START")) };
}

function rowsOf(app) {
  const { store, view } = app;
  const items = gathered(chatItems(store, view.chat));
  const again = againOf(app, items);
  const rows = items.map((item, i) => item.notice
    ? noticeRow(app, item.notice, again) : messageRow(app, items, i));
  for (const entry of store.outbox) {
    if (entry.chat !== view.chat || entry.from !== view.as) continue;
    rows.push({ key: `o${entry.key}`, text: entry.text || entry.what,
      deps: [entry.waiting], make: () => pendingNode(entry) });
  }
  if (!rows.some((r) => r.message || r.text)) rows.push(emptyRow(app));
  return rows;
}

// What a screen reader is told; a flood only as a number.
function speak(messages) {
  const say = (text) => $("speech").append(h("p", { dir: "auto" }, text));
  if (messages.length > SPEAK_EACH) say(`${messages.length} new messages`);
  else for (const m of messages) say(`${nameOf(m.from)}: ${preview(m)}`);
  while ($("speech").childElementCount > SPOKEN_MAX) {
    $("speech").firstChild.remove();
  }
}

// The answer to a press, a toast or an alert, in this column alone.
function answerNode(app, answer) {
  const cause = document.activeElement;
  const done = () => {
    app.store.answers = app.store.answers.filter((a) => a !== answer);
    app.changed();
    (cause?.isConnected ? cause : $("composer")).focus();
  };
  if (answer.alert) {
    const ok = h("button", { type: "button", class: "main", onclick: done },
      "OK");
    queueMicrotask(() => ok.focus());
    return h("div", { class: "alert", role: "alertdialog",
      "aria-label": "Alert of the bot",
      onkeydown: (e) => e.key === "Escape" && (e.stopPropagation(), done()) },
    h("p", { dir: "auto" }, answer.text), ok);
  }
  return h("div", { class: "toast", role: "status" },
    h("span", { dir: "auto" }, answer.text),
    h("button", { type: "button", class: "quiet", onclick: done,
      "aria-label": "Close" }, icon("close")));
}

function drawAnswers(app) {
  const { store, view } = app;
  drawRows($("toasts"), store.answers
    .filter((a) => a.chat === view.chat && a.from === view.as)
    .map((a) => ({ key: a, deps: [], make: () => answerNode(app, a) })));
}

// What the actions of sendChatAction are called; others are typing.
const ACTIONS = {
  upload_photo: "sends a photo", upload_document: "sends a file",
  upload_video: "sends a video", upload_voice: "sends a voice message",
  record_video: "records a video", record_voice: "records a voice message",
  record_video_note: "records a video", upload_video_note: "sends a video",
  choose_sticker: "chooses a sticker", find_location: "picks a place",
};

function drawTyping({ store, view }) {
  const { until, action } = store.typing.get(view.chat) ?? {};
  const text = `${botName(store)} ${ACTIONS[action] ?? "is typing"}`;
  drawRows($("typing"), until > Date.now() ? [{ key: "dots", deps: [text],
    make: () => h("div", { class: "acting muted" },
      h("span", { class: "dots", "aria-hidden": "true" },
        h("i"), h("i"), h("i")),
      h("span", { dir: "auto" }, text)) }] : []);
}

export function newChat(app) {
  const box = newScroll($("log"), $("newer"),
    { list: $("messages"), sticks: true });
  let chat = null;
  let known = new Set();

  function draw() {
    const { store, view } = app;
    const rows = rowsOf(app);
    const moved = chat !== view.chat;
    chat = view.chat;
    const fresh = rows.filter((r) => !known.has(r.key));
    known = new Set(rows.map((r) => r.key));
    drawHead(app);
    box.draw(rows, fresh.length, () => drawTyping(app));
    if (moved) box.toEnd();
    else if (app.ready) {
      speak(fresh.map((r) => r.message)
        .filter((m) => m && m.from?.id !== view.as));
    }
    drawAnswers(app);
    if (!document.hidden) store.unread.delete(view.chat);
  }

  // Brings the message into the document.
  function reveal(id) {
    const row = rowsOf(app).find(({ message, album }) =>
      (album ?? [message]).some((m) => m?.message_id === id));
    if (row) box.reveal(row.key);
  }

  return { draw, toEnd: box.toEnd, reveal };
}
