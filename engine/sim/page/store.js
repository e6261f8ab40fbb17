// The world as the page knows it. Snapshots replace it, events change it;
// everything is bounded and the oldest is forgotten first. Nothing here
// touches the document.

const MESSAGES_MAX = 5000; // as the simulator keeps
const UPDATES_MAX = 300;
const CALLS_MAX = 900;
const NOTICES_MAX = 100;
const TYPING_MS = 5000;
const EARLIER_MAX = 10; // texts of a message that was edited

function trim(map, max) {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}

export const newStore = () => ({
  users: new Map(), // people, by id
  bots: new Map(),
  chats: new Map(), // groups; a private chat has its user's id
  logs: new Map(), // chat id -> Map of message id -> {message, seen}
  updates: new Map(), // by n
  calls: new Map(), // by n
  notices: [], // {id, at, kind, ...}
  menus: new Map(), // of commands, by scope and language
  typing: new Map(), // chat id -> {until, action} of the bot
  unread: new Map(),
  presses: new Map(), // of inline buttons, see press()
  answers: [], // toasts and alerts of callbacks
  outbox: [], // own messages on their way
  generation: null,
  failed: null, // the notice of a failed reload until a good one
});

function learn(store, user) {
  if (!user) return;
  (user.is_bot ? store.bots : store.users).set(user.id, user);
}

const log = (store, chat) => {
  if (!store.logs.has(chat)) store.logs.set(chat, new Map());
  return store.logs.get(chat);
};

// `seen` is the id of the first event about the message: it decides on which
// side of a notice the message stands. Without one it is older than all.
export function putMessage(store, chat, message, seen) {
  const entries = log(store, chat);
  const old = entries.get(message.message_id);
  entries.set(message.message_id, { message, seen: old?.seen ?? seen });
  trim(entries, MESSAGES_MAX);
  if (message.from?.is_bot) learn(store, message.from);
  return !old;
}

function settle(store, event) {
  for (const [key, press] of store.presses) {
    if (press.chat !== event.chat_id || press.data !== event.data ||
        press.message !== event.message_id ||
        press.from !== (event.from?.id ?? event.from)) continue;
    store.presses.delete(key);
    if (!event.text) continue;
    store.answers.push({ id: key, chat: press.chat, from: press.from,
      text: event.text, alert: Boolean(event.show_alert) });
  }
}

function notice(store, event, id) {
  if (store.notices.some((n) => n.id === id)) return;
  store.notices.push({ ...event, id });
  if (store.notices.length > NOTICES_MAX) store.notices.shift();
  if (event.kind === "reload" || event.kind === "ready") {
    store.failed = null;
    store.generation = event.generation ?? store.generation;
  }
  if (event.kind === "reload_failed") store.failed = { ...event, id };
}

const numbered = (map, max) => (store, event) => {
  store[map].set(event.n, event);
  trim(store[map], max);
};

const putCall = numbered("calls", CALLS_MAX);

const content = ({ text, caption, entities, photo, document }) =>
  JSON.stringify([text, caption, entities, photo, document]);

// New buttons or marks are no edit for those who read; of others the text
// before is kept.
function markSame(store, chat, message) {
  const old = store.logs.get(chat)?.get(message.message_id)?.message;
  if (!old) return;
  const edited = (old.edited || old.edit_date) && !old.same;
  const same = content(old) === content(message);
  if (!edited && same) message.same = true;
  message.earlier = same ? old.earlier : [...old.earlier ?? [],
    old.text ?? old.caption ?? ""].slice(-EARLIER_MAX);
}

const scopeKey = ({ type, chat_id: chat, user_id: user }) =>
  [type, chat, user].filter((part) => part !== undefined).join(":");

const on = {
  user: (store, { user }) => learn(store, user),
  chat: (store, { chat }) => {
    if (chat.type !== "private") store.chats.set(chat.id, chat);
  },
  message(store, { chat_id: chat, message }, id) {
    markSame(store, chat, message);
    const fresh = putMessage(store, chat, message, id);
    if (message.from?.is_bot) store.typing.delete(chat);
    else if (!store.chats.has(chat)) return; // of its own person
    if (fresh) store.unread.set(chat, (store.unread.get(chat) ?? 0) + 1);
  },
  update: numbered("updates", UPDATES_MAX),
  call(store, call) {
    putCall(store, call);
    if (call.method === "getMe" && call.result) learn(store, call.result);
  },
  callback: (store, event) => event.answered && settle(store, event),
  marks: (store, { chat_id: chat, message }) => {
    markSame(store, chat, message);
    putMessage(store, chat, message);
  },
  action: (store, { chat_id: chat, action }) => {
    if (action === "cancel") store.typing.delete(chat);
    else store.typing.set(chat, { until: Date.now() + TYPING_MS, action });
  },
  commands: (store, menu) => {
    const { scope, language_code: language } = menu;
    store.menus.set(`${scopeKey(scope)}|${language}`, menu.commands);
  },
  notice,
};

export function applyEvent(store, type, data, id) {
  on[type](store, data, id);
}

// anew: what is known belongs to an earlier world.
export function applySnapshot(store, world, anew) {
  if (anew) {
    const { outbox } = store;
    Object.assign(store, newStore(), { outbox });
  }
  store.users.clear();
  store.chats.clear();
  for (const user of world.users) learn(store, user);
  for (const chat of world.chats) on.chat(store, { chat });
  for (const menu of world.menus) on.commands(store, menu);
  const old = store.logs;
  store.logs = new Map();
  for (const read of world.logs) applyLog(store, read, old.get(read.id));
}

export function applyLog(store, { id, messages }, known) {
  log(store, id);
  for (const message of messages) {
    putMessage(store, id, message, known?.get(message.message_id)?.seen);
  }
}

// Messages and notices of a chat in the order in which they came.
export function chatItems(store, chat) {
  const entries = [...(store.logs.get(chat)?.values() ?? [])].sort(
    (a, b) => a.message.message_id - b.message.message_id);
  const notices = store.notices.filter((n) =>
    (n.kind === "reload" && n.generation !== 1) ||
    (n.kind === "error" && (n.chat_id ?? chat) === chat));
  const items = [];
  let done = 0;
  for (const notice of notices) {
    let upTo = done;
    for (let i = done; i < entries.length; i++) {
      if ((entries[i].seen ?? 0) < notice.id) upTo = i + 1;
    }
    items.push(...entries.slice(done, upTo), { notice });
    done = upTo;
  }
  return [...items, ...entries.slice(done)];
}

// Whether a keyboard that is for some alone is for that person.
function isFor({ text = "", entities = [], reply_to_message: quoted }, user) {
  return quoted?.from?.id === user.id || entities.some((e) =>
    e.user?.id === user.id || (user.username && e.type === "mention" &&
      text.substr(e.offset, e.length) === `@${user.username}`));
}

function* markupsFor(store, { chat, as }) {
  const user = store.users.get(as) ?? {};
  for (const { message } of store.logs.get(chat)?.values() ?? []) {
    const markup = message.reply_markup;
    if (!message.from?.is_bot || message.deleted || !markup) continue;
    if (!markup.selective || isFor(message, user)) yield { message, markup };
  }
}

// The reply keyboard that the person sees there now, if any.
export function replyKeyboard(store, view) {
  let shown = null;
  for (const { message, markup } of markupsFor(store, view)) {
    if (markup.keyboard) shown = { ...markup, message };
    if (markup.remove_keyboard || markup.force_reply) shown = null;
  }
  return shown;
}

// The newest message if it asks for an answer that quotes it.
export function forcedReply(store, view) {
  let asked = null;
  for (const found of markupsFor(store, view)) {
    asked = found.markup.force_reply ? found : null;
  }
  return asked && asked.message ===
    [...store.logs.get(view.chat).values()].at(-1).message ? asked : null;
}

// The bot's commands as the person's client lists them there: those of the
// narrowest scope alone, in its language if there are such.
export function commandsFor(store, { chat, as }) {
  const group = store.chats.has(chat);
  const scopes = [`chat_member:${chat}:${as}`, `chat:${chat}`,
    group ? "all_group_chats" : "all_private_chats", "default"];
  const language = store.users.get(as)?.language_code ?? "";
  for (const scope of scopes) {
    for (const tag of [language, ""]) {
      const found = store.menus.get(`${scope}|${tag}`);
      if (found?.length) return found;
    }
  }
  return [];
}
