--- State machines that bot.fsm has declared. Not for scripts to require. A
-- handler gets one by ctx:fsm. Its state and its data are stored together, and
-- last through restarts, edits and deaths.
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local json = require "moonlet.json"
local log = require "moonlet.log"
local rows = require "moonlet.core.state"

local fsm = {}
local methods = context.methods

local OTHERS_MAX = 16 -- updates of other lanes that a row tells of

local machines = {} -- name -> its checked definition
local names = {}    -- in order of declaration

-- --- declarations

local known = { initial = true, states = true, key = true, migrate = true }
local known_of_state = { on = true, enter = true, leave = true, timeout = true }
local known_of_move = { to = true, guard = true }

local function refuse(name, text, ...)
  core.misuse(("bot.fsm %q: "):format(name) .. text:format(...))
end

local function check_table(name, value, fields, what)
  if type(value) ~= "table" then
    refuse(name, "%s must be a table, got %s", what, type(value))
  end
  for field in pairs(value) do
    if not fields[field] then
      refuse(name, "%s has no field %q", what, tostring(field))
    end
  end
end

local function check_target(name, states, from, to)
  if not states[to] then
    refuse(name, "state %s leads to %q, which is no state of it", from,
      tostring(to))
  end
end

local function check_function(name, what, fn)
  if fn ~= nil and type(fn) ~= "function" then
    refuse(name, "%s must be a function, got %s", what, type(fn))
  end
end

-- "paying", { to = "paying", guard = fn }, or a list of such tables.
local function moves_of(name, states, from, event, given)
  if type(given) == "string" then given = { { to = given } } end
  if type(given) == "table" and given.to then given = { given } end
  if type(given) ~= "table" or #given == 0 then
    refuse(name, "event %s of state %s must name a state", event, from)
  end
  for _, move in ipairs(given) do
    check_table(name, move, known_of_move, "event " .. event)
    check_target(name, states, from, move.to)
    check_function(name, "guard of event " .. event, move.guard)
  end
  return given
end

local function timeout_of(name, states, from, given)
  if given == nil then return nil end
  check_table(name, given, { after = true, to = true }, "timeout of " .. from)
  check_target(name, states, from, given.to)
  local after = given.after
  return { after = core.seconds(after, "after"), to = given.to,
    text = tostring(after) .. (tonumber(after) and " s" or "") }
end

local function state_of(name, states, from, given)
  check_table(name, given, known_of_state, "state " .. tostring(from))
  check_function(name, "enter of " .. from, given.enter)
  check_function(name, "leave of " .. from, given.leave)
  local on = {}
  for event, target in pairs(given.on or {}) do
    on[event] = moves_of(name, states, from, tostring(event), target)
  end
  return { on = on, enter = given.enter, leave = given.leave,
    timeout = timeout_of(name, states, from, given.timeout) }
end

local function visit(machine, from, seen)
  if seen[from] then return end
  seen[from] = true
  local state = machine.states[from]
  for _, moves in pairs(state.on) do
    for _, move in ipairs(moves) do visit(machine, move.to, seen) end
  end
  if state.timeout then visit(machine, state.timeout.to, seen) end
end

local function check_reachable(name, machine)
  local seen, lost = {}, {}
  visit(machine, machine.initial, seen)
  for state in pairs(machine.states) do
    if not seen[state] then lost[#lost + 1] = state end
  end
  table.sort(lost)
  if #lost > 0 then
    refuse(name, "nothing leads from %s to: %s", machine.initial,
      table.concat(lost, ", "))
  end
end

-- Where an update without a chat, such as a checkout, has its machine: in the
-- private chat with its person, whose id is the person's.
local function chat_of(ctx, user)
  return ctx.chat or user and { id = user.id, type = "private" }
end

local keys = {
  user = function(ctx, user)
    return user and chat_of(ctx, user).id .. ":" .. user.id
  end,
  chat = function(ctx) return ctx.chat and tostring(ctx.chat.id) end,
  topic = function(ctx)
    local topic = ctx.message and ctx.message.message_thread_id
    return ctx.chat and ctx.chat.id .. "/" .. (topic or 0)
  end,
}

--- What bot.fsm is, and is documented as.
function fsm.declare(name, definition)
  if not core.loading() then
    core.misuse("bot.fsm: declare machines while main.lua loads, not later")
  end
  if type(name) ~= "string" or not name:find("^[%w_]+$") then
    core.misuse(("bot.fsm: %q is no name of a machine (letters, digits, "
      .. "underscores)"):format(tostring(name)))
  end
  if machines[name] then refuse(name, "it is declared already") end
  check_table(name, definition, known, "the definition")
  check_table(name, definition.states or {}, setmetatable({}, {
    __index = function() return true end }), "states")
  check_function(name, "migrate", definition.migrate)
  local machine = { name = name, initial = definition.initial, states = {},
    key = definition.key or "user", migrate = definition.migrate }
  if not keys[machine.key] then
    refuse(name, 'key must be "user", "chat" or "topic", got %q',
      tostring(machine.key))
  end
  local states = definition.states or {}
  check_target(name, states, "(initial)", machine.initial)
  for state, given in pairs(states) do
    machine.states[state] = state_of(name, states, state, given)
  end
  check_reachable(name, machine)
  machines[name] = machine
  names[#names + 1] = name
end

-- --- the machine of one person or chat

local Handle = {}

-- What authors read as state is `at`, so that setting it does not pass for a
-- move.
local handle_meta = { __metatable = false }

function handle_meta.__index(handle, name)
  if name == "state" then return rawget(handle, "at") end
  return Handle[name]
end

function handle_meta.__newindex(handle, name, value)
  if name == "state" then
    core.misuse(("fsm %s: a state is not set; machine:fire(event) moves on")
      :format(handle.machine.name))
  end
  rawset(handle, name, value)
end

local function kind_of(machine) return "fsm." .. machine.name end

-- A state that an edit has removed.
local function find_place(machine, handle, state)
  if machine.states[state] then return state end
  local to = machine.migrate and machine.migrate(state, handle.data)
    or machine.initial
  if not machine.states[to] then
    core.misuse(("bot.fsm %q: migrate gave %q, which is no state of it")
      :format(machine.name, tostring(to)))
  end
  log.warn("fsm.state_removed", { fsm = machine.name, state = state, to = to })
  return to
end

-- What a row tells of updates that have changed it: the last one, and behind it
-- those of other lanes, which may not have ended when that came.
local function take_notes(handle, row)
  local id = handle.ctx.update.update_id
  handle.notes, handle.update, handle.fires, handle.done = {}, nil, 0, nil
  if row.update then
    handle.notes = { { update = row.update, fires = row.fires,
      done = row.done, lane = row.lane }, table.unpack(row.others or {}) }
  end
  for _, note in ipairs(handle.notes) do
    if note.update == id and id ~= 0 then
      handle.update, handle.fires, handle.done = id, note.fires, note.done
    end
  end
end

-- One of the same lane has ended, and is in the inbox's file as such before
-- this is in its own.
local function other_notes(handle)
  local others = {}
  for _, note in ipairs(handle.notes) do
    if note.update ~= handle.update and note.lane ~= handle.ctx.lane
      and #others < OTHERS_MAX then
      others[#others + 1] = note
    end
  end
  return others
end

local function load(handle)
  local machine = handle.machine
  local row, version = rows.get(kind_of(machine), handle.key)
  row = row or { state = machine.initial, data = {} }
  handle.version = version
  handle.data = row.data or {}
  handle.saved = json.encode(handle.data)
  handle.at = find_place(machine, handle, row.state)
  handle.due = row.due
  take_notes(handle, row)
end

-- What a timeout needs to stand for the update that it has none of.
local function place_of(ctx, from)
  local message = ctx.message or {}
  local chat = chat_of(ctx, from)
  return {
    chat = chat and { id = chat.id, type = chat.type, title = chat.title },
    from = from and { id = from.id, is_bot = from.is_bot,
      first_name = from.first_name, username = from.username,
      language_code = from.language_code },
    topic = message.is_topic_message and message.message_thread_id or nil,
  }
end

local function store(handle, due)
  local text, ctx = json.encode(handle.data), handle.ctx
  local lane = ctx.lane
  local others = other_notes(handle)
  handle.due = due
  handle.version = rows.put(kind_of(handle.machine), handle.key, {
    state = handle.at, data = handle.data, update = handle.update,
    fires = handle.fires, done = handle.done, lane = lane, due = due,
    others = others[1] and others, place = place_of(ctx, handle.user),
  }, handle.version, { tag = handle.at, due = due,
    lane = ctx.chat and lane or "chat:" .. chat_of(ctx, handle.user).id })
  handle.saved = text
  handle.notes = { { update = handle.update, fires = handle.fires,
    done = handle.done, lane = lane }, table.unpack(others) }
end

local function changed(handle)
  return json.encode(handle.data) ~= handle.saved
end

local function pick(handle, moves, ...)
  for _, move in ipairs(moves) do
    if not move.guard or move.guard(handle.ctx, handle.data, ...) then
      return move.to
    end
  end
end

local function go(handle, to, ...)
  local ctx, states = handle.ctx, handle.machine.states
  local from = states[handle.at]
  if from.leave then from.leave(ctx, ...) end
  local before = { handle.at, handle.update, handle.fires, handle.done }
  local id = ctx.update.update_id
  handle.fires = handle.update == id and handle.fires + 1 or 1
  handle.at, handle.update, handle.done = to, id, nil
  local timeout = states[to].timeout
  local ok, err = pcall(store, handle, timeout and os.time() + timeout.after)
  if not ok then
    handle.at, handle.update, handle.fires, handle.done =
      table.unpack(before, 1, 4)
    error(err, 0)
  end
  handle.fired = (handle.fired or 0) + 1
  if states[to].enter then states[to].enter(ctx, ...) end
end

-- This update was here before its process died, and has stored something.
local function came_before(handle)
  local update = handle.ctx.update
  return update.redelivered and handle.update == update.update_id
end

-- For an update that comes again nothing is done twice, also not what it does
-- to the data before; but for the last enter, of which nobody knows whether it
-- was over.
local function done_before(handle, ...)
  local fired = (handle.fired or 0) + 1
  if not came_before(handle) or fired > handle.fires then return false end
  handle.fired = fired
  handle.data = json.decode(handle.saved)
  local enter = handle.machine.states[handle.at].enter
  if fired == handle.fires and enter then enter(handle.ctx, ...) end
  return true
end

local function events_of(state)
  local list = {}
  for event in pairs(state.on) do list[#list + 1] = tostring(event) end
  table.sort(list)
  return #list > 0 and table.concat(list, ", ") or "none"
end

local function moves_for(handle, event)
  local state = handle.machine.states[handle.at]
  if not state.on[event] then
    core.misuse(("fsm %s: state %s takes no event %q (it takes: %s)"):format(
      handle.machine.name, handle.at, tostring(event), events_of(state)))
  end
  return state.on[event]
end

local function fire(handle, event, ...)
  local to = pick(handle, moves_for(handle, event), ...)
  if not to then return false end
  go(handle, to, ...)
  return true
end

--- machine:fire(event, ...): moves on. The guards are asked, the state's leave
-- runs, state and data are stored, and the next state's enter runs; all get
-- what stands behind the event. Returns false if every guard said no, else
-- true. Raises "misuse" for an event that the state does not take, and
-- "conflict" if another update has changed the machine meanwhile.
function Handle:fire(event, ...)
  if done_before(self, ...) then return true end
  local untouched = not changed(self)
  local ok, result = pcall(fire, self, event, ...)
  if ok then return result end
  if type(result) ~= "table" or result.kind ~= "conflict" or not untouched then
    error(result, 0)
  end
  load(self)
  return fire(self, event, ...)
end

--- machine:can(event): whether its state takes the event; asks no guard.
function Handle:can(event)
  return self.machine.states[self.state].on[event] ~= nil
end

--- machine:reset(): back to the initial state with empty data, and no enter.
function Handle:reset()
  rows.put(kind_of(self.machine), self.key, nil, -1, {})
  load(self)
end

local function handle_of(ctx, machine, key, user)
  return setmetatable({ machine = machine, ctx = ctx, key = key,
    user = user }, handle_meta)
end

-- The handle of this update, a new one if there is none. All are in
-- ctx.machines, by number in order and by machine and key.
local function keep(ctx, handle)
  ctx.machines = ctx.machines or {}
  local id = handle.machine.name .. " " .. handle.key
  if ctx.machines[id] then return ctx.machines[id] end
  load(handle)
  ctx.machines[id] = handle
  table.insert(ctx.machines, handle)
  return handle
end

local function check_user(name, machine, user)
  if type(user) ~= "table" or math.type(user.id) ~= "integer" then
    core.misuse(("ctx:fsm %q: the person must be a User, got %s"):format(name,
      type(user)))
  elseif machine.key ~= "user" then
    core.misuse(("ctx:fsm %q: it belongs to a %s, not to a person"):format(
      name, machine.key))
  end
end

--- ctx:fsm(name [, user]): the machine of the update's person and chat
-- (bot.fsm); with a User that of another person in the chat. Of an update
-- without a chat, as a pre_checkout_query, it is that of their private chat. It
-- has state, the name of its state; data, a table that is stored with each
-- fire and when the handler ends without an error; and fire, can and reset.
function methods.fsm(ctx, name, user)
  local machine = machines[name]
  if not machine then
    core.misuse(("ctx:fsm: there is no machine %q"):format(tostring(name)))
  end
  if user ~= nil then check_user(name, machine, user) end
  local key = keys[machine.key](ctx, user or ctx.from)
  if not key then
    core.misuse(("ctx:fsm %q: this %s belongs to no %s"):format(name,
      ctx.kind, machine.key == "user" and "person in a chat" or "chat"))
  end
  return keep(ctx, handle_of(ctx, machine, key, user or ctx.from))
end

-- --- for bot.lua

--- The handler has ended well: what it has changed is stored.
function fsm.finish(ctx)
  for _, handle in ipairs(ctx.machines or {}) do
    if changed(handle) and not (handle.done and came_before(handle)) then
      local id = ctx.update.update_id
      if handle.update ~= id then handle.update, handle.fires = id, 0 end
      handle.done = true
      store(handle, handle.due)
    end
  end
end

--- A group has become a supergroup: its machines go with it. Both chats are
-- told of it, and whichever comes first moves them.
function fsm.chat_moved(message)
  rows.move("fsm.", message.migrate_from_chat_id or message.chat.id,
    message.migrate_to_chat_id or message.chat.id)
end

--- A row has become due: the state's timeout, if it still stands there.
function fsm.due(ctx)
  local event = ctx.event
  local machine = machines[event.kind:match("^fsm%.(.*)$")]
  if not machine then
    log.warn("fsm.machine_removed", { kind = event.kind, key = event.key })
    return
  end
  local place = event.value.place
  ctx.chat, ctx.from = place.chat, place.from
  local id = math.tointeger(tonumber(event.key:match("^%-?%d+")))
  if ctx.chat.id ~= id then -- it has become one since
    ctx.chat.id, ctx.chat.type = id, "supergroup"
  end
  if place.topic then
    ctx.message = { is_topic_message = true, message_thread_id = place.topic }
  end
  local handle = keep(ctx, handle_of(ctx, machine, event.key, ctx.from))
  local timeout = machine.states[handle.at].timeout
  if handle.version == event.version and timeout then
    go(handle, timeout.to)
  end
end

-- For moonlet.check: the set of all events of each machine.
function fsm._events()
  local found = {}
  for name, machine in pairs(machines) do
    found[name] = {}
    for _, state in pairs(machine.states) do
      for event in pairs(state.on) do found[name][event] = true end
    end
  end
  return found
end

--- All machines as a text: Mermaid, or SVG; empty if there are none.
function fsm.graph(request)
  if #names == 0 then return "" end
  local graph, list = require "moonlet.graph", {}
  for i, name in ipairs(names) do list[i] = machines[name] end
  return request.svg and graph.svg(list) or graph.mermaid(list)
end

--- After a load: tells of people who stand in a state that is gone.
function fsm.started()
  for _, name in ipairs(names) do
    local ok, counts = pcall(rows.count, "fsm." .. name)
    if not ok then
      log.warn("fsm.uncounted", { fsm = name, error = counts })
      counts = {}
    end
    for state, count in pairs(counts) do
      if not machines[name].states[state] then
        log.warn("fsm.states_removed", { fsm = name, state = state,
          count = count })
      end
    end
  end
end

return fsm
