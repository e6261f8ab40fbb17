// The connection to the simulator: requests, the event stream with resume,
// and the snapshot of people and chats that is read whenever the stream may
// have left a hole. Updates and calls come from the stream's past alone.

const TYPES = ["user", "chat", "message", "update", "call", "callback",
  "marks", "action", "commands", "notice", "gap"];
const WAIT_MIN = 1000;
const WAIT_MAX = 30000;
const HIDDEN = 10000;
const CHATS_READ = 30; // the others when they are opened
const ANSWER_MAX = 15000;

export class Refused extends Error {}

export const why = (e) => e instanceof Refused ? e.message
  : "the engine does not answer";

async function request(path, options) {
  const answer = await fetch(path, {
    ...options, signal: AbortSignal.timeout(ANSWER_MAX), cache: "no-store",
  });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new Refused(body?.error ?? `the answer was ${answer.status}`);
  }
  return body;
}

const get = (path) => request(path);

export const post = (path, body) => request(path, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export async function readLog(id) {
  try {
    return { id, messages: await get(`/sim/chats/${id}/messages`) };
  } catch (e) {
    if (e instanceof Refused) return { id, messages: [] };
    throw e;
  }
}

async function snapshot() {
  const [users, chats, menus] = await Promise.all([
    get("/sim/users"), get("/sim/chats"), get("/sim/commands"),
  ]);
  const ids = [...chats, ...users].map((c) => c.id).slice(0, CHATS_READ);
  return { users, chats, menus, logs: await Promise.all(ids.map(readLog)) };
}

// onEvent(type, data, id); onSnapshot(world, anew): the world began anew, what
// was known belongs to an earlier one; onState({live, until}).
export function openFeed({ onEvent, onSnapshot, onState }) {
  let last = 0;
  let wait = WAIT_MIN;
  let source = null;
  let anew = false;
  let held = null; // events that arrived while the snapshot was on its way
  let timer = 0;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function retry() {
    close();
    const pause = wait / 2 + Math.random() * (wait / 2);
    wait = Math.min(wait * 2, WAIT_MAX);
    onState({ live: false, until: Date.now() + pause });
    timer = setTimeout(connect, pause);
  }

  async function read(from) {
    held ??= [];
    try {
      const world = await snapshot();
      if (source !== from) return;
      onSnapshot(world, anew);
      anew = false;
    } catch {
      if (source === from) retry();
      return;
    }
    const waiting = held;
    held = null;
    for (const event of waiting) take(from, ...event);
    wait = WAIT_MIN;
    onState({ live: true });
  }

  function take(from, type, data, id) {
    if (source !== from) return;
    if (held) {
      held.push([type, data, id]);
      return;
    }
    if (id < last) anew = true; // ids begin again with each simulator
    last = id;
    if (type !== "gap") onEvent(type, data, id);
    else read(from);
  }

  function connect() {
    close();
    held = null;
    const mine = new EventSource(`/sim/events?after=${last}`);
    source = mine;
    mine.onopen = () => read(mine);
    mine.onerror = () => source === mine && retry();
    for (const type of TYPES) {
      mine.addEventListener(type, (e) =>
        take(mine, type, JSON.parse(e.data), Number(e.lastEventId)));
    }
  }

  // A browser opens six connections a host over all tabs: one that nobody
  // sees gives its own back.
  let hide = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(close, HIDDEN);
    else if (!source) connect();
  });

  connect();
  return { now: connect };
}
