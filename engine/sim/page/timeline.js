// The story that the inspector tells, made from the store: each update with
// the calls and errors that it led to.

// The chat that an update belongs to, as far as it names one.
function updateParts(update) {
  const kind = Object.keys(update.update ?? {}).find((k) =>
    k !== "update_id") ?? "update";
  const body = update.update?.[kind] ?? {};
  const chat = body.chat?.id ?? body.message?.chat?.id;
  return { kind, body, chat };
}

// One group an update with the calls it led to: a callback's answer by its
// id, other calls by their chat and time. What fits nowhere stands alone.
export function timeline(store) {
  const events = [
    ...[...store.updates.values()].map((update) => (
      { at: update.at, order: 0, key: `u${update.n}`, update,
        ...updateParts(update), calls: [], errors: [] })),
    ...[...store.calls.values()].filter((c) => c.method !== "getUpdates")
      .map((call) => ({ at: call.at, order: 1, key: `c${call.n}`, call })),
    ...store.notices.map((notice) => (
      { at: notice.at, order: 2, key: `n${notice.id}`, notice })),
  ].sort((a, b) => a.at - b.at || a.order - b.order);
  const byChat = new Map();
  const byQuery = new Map();
  const rows = [];
  for (const event of events) {
    const group = groupOf(event, byChat, byQuery, rows);
    if (group && event.call) group.calls.push(event);
    else if (group && event.notice) group.errors.push(event);
    else rows.push(event);
    if (!event.update) continue;
    if (event.chat !== undefined) byChat.set(event.chat, event);
    if (event.body.id) byQuery.set(String(event.body.id), event);
  }
  return rows;
}

function groupOf({ call, notice }, byChat, byQuery, rows) {
  if (call) {
    const query = call.params?.callback_query_id ??
      call.params?.inline_query_id;
    return query ? byQuery.get(String(query)) : byChat.get(call.chat_id);
  }
  if (notice?.kind !== "error") return null;
  if (!notice.update_id) return byChat.get(notice.chat_id);
  return rows.find((r) => r.update?.update?.update_id === notice.update_id);
}

// The timeline's group that a message came from or led to.
export function groupOfMessage(store, chat, message) {
  const same = (m) => m && m.message_id === message.message_id &&
    (m.chat?.id ?? chat) === chat;
  return timeline(store).find((row) => row.update &&
    (same(row.body) || row.calls.some(({ call }) => same(call.result))));
}
