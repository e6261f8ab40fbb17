--- Pictures of the machines of bot.fsm, as Mermaid text and as SVG. Not for
-- scripts of authors.
local sorted = require "moonlet.sorted"

local graph = {}

-- The arrows of a machine: { from, to, label }; several events between the
-- same two states are one arrow.
local function arrows_of(machine)
  local arrows, by_pair = {}, {}
  local function add(from, to, label)
    local pair = from .. "\0" .. to
    local arrow = by_pair[pair]
    if not arrow then
      arrow = { from = from, to = to, labels = {} }
      by_pair[pair] = arrow
      arrows[#arrows + 1] = arrow
    end
    table.insert(arrow.labels, label)
  end
  for _, from in ipairs(sorted(machine.states)) do
    local state = machine.states[from]
    for _, event in ipairs(sorted(state.on)) do
      for _, move in ipairs(state.on[event]) do
        add(from, move.to, event .. (move.guard and " [guard]" or ""))
      end
    end
    if state.timeout then
      add(from, state.timeout.to, "after " .. state.timeout.text)
    end
  end
  return arrows
end

-- --- Mermaid

local function mermaid_of(machine)
  local lines = { "---", "title: " .. machine.name, "---",
    "stateDiagram-v2", "  [*] --> " .. machine.initial }
  for _, arrow in ipairs(arrows_of(machine)) do
    lines[#lines + 1] = ("  %s --> %s: %s"):format(arrow.from, arrow.to,
      table.concat(arrow.labels, ", "))
  end
  for _, name in ipairs(sorted(machine.states)) do
    local state = machine.states[name]
    if next(state.on) == nil and not state.timeout then
      lines[#lines + 1] = ("  %s --> [*]"):format(name)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The machines as Mermaid text, one diagram after the other.
function graph.mermaid(machines)
  local texts = {}
  for i, machine in ipairs(machines) do texts[i] = mermaid_of(machine) end
  return table.concat(texts, "\n")
end

-- --- SVG

local CHAR, BOX, LINE = 7.5, 32, 110 -- a letter, a box's height, a row's
local MARGIN, GAP = 40, 60

local function escape(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;",
    [">"] = "&gt;", ['"'] = "&quot;" }))
end

-- The states in rows, by how many steps they are from the initial one.
local function rows_of(machine, arrows)
  local depth, rows, queue = { [machine.initial] = 1 }, {},
    { machine.initial }
  local at = 1
  while queue[at] do
    local name = queue[at]
    local row = depth[name]
    rows[row] = rows[row] or {}
    table.insert(rows[row], name)
    for _, arrow in ipairs(arrows) do
      if arrow.from == name and not depth[arrow.to] then
        depth[arrow.to] = row + 1
        queue[#queue + 1] = arrow.to
      end
    end
    at = at + 1
  end
  return rows
end

local function place_all(rows)
  local places, widest = {}, 0
  local widths = {}
  for r, row in ipairs(rows) do
    local width = -GAP
    for _, name in ipairs(row) do
      width = width + #name * CHAR + 28 + GAP
    end
    widths[r] = width
    widest = math.max(widest, width)
  end
  for r, row in ipairs(rows) do
    local x = MARGIN + (widest - widths[r]) / 2
    for _, name in ipairs(row) do
      local w = #name * CHAR + 28
      places[name] = { x = x, y = MARGIN + (r - 1) * LINE, w = w, row = r }
      x = x + w + GAP
    end
  end
  return places, widest
end

local function text_at(x, y, text, class)
  return ('<text x="%.1f" y="%.1f" class="%s">%s</text>'):format(x, y, class,
    escape(text))
end

-- Down as a line, sideways as a bow below, up as one on the right, to itself
-- as a loop.
local function arrow_svg(arrow, places, lane)
  local a, b = places[arrow.from], places[arrow.to]
  local label = table.concat(arrow.labels, ", ")
  local ax, bx = a.x + a.w / 2, b.x + b.w / 2
  if a == b then
    local x, y = a.x + a.w, a.y + BOX / 2
    return ('<path d="M%.1f %.1f c40 -26 40 26 0 8"/>'):format(x, y - 4)
      .. text_at(x + 34, y + 4, label, "label left")
  end
  if b.row == a.row + 1 then
    local y1, y2 = a.y + BOX, b.y
    return ('<path d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f"/>'):format(
        ax, y1, ax, y1 + 30, bx, y2 - 30, bx, y2)
      .. text_at((ax + bx) / 2, (y1 + y2) / 2 + lane * 14, label, "label")
  end
  if b.row == a.row then
    local y = a.y + BOX
    return ('<path d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f"/>'):format(
        ax, y, ax, y + 34, bx, y + 34, bx, y)
      .. text_at((ax + bx) / 2, y + 34, label, "label")
  end
  local x1, y1 = a.x + a.w, a.y + BOX / 2 + 6
  local x2, y2 = b.x + b.w, b.y + BOX / 2 - 6
  local far = math.max(x1, x2) + 40 + lane * 26
  return ('<path d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f"/>'):format(
      x1, y1, far, y1, far, y2, x2, y2)
    .. text_at(far - 8 - lane * 6, (y1 + y2) / 2 + lane * 12, label,
      "label left")
end

local function box_svg(name, place, initial)
  return ('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="8"%s/>')
      :format(place.x, place.y, place.w, BOX,
        initial and ' class="initial"' or "")
    .. text_at(place.x + place.w / 2, place.y + BOX / 2 + 5, name, "name")
end

local STYLE = [[
<style>
  rect { fill: #fff; stroke: #7d8694 } rect.initial { stroke-width: 2.5 }
  path { fill: none; stroke: #565f6e; marker-end: url(#tip) }
  text { font: 13px system-ui, sans-serif; fill: #16191f;
    text-anchor: middle }
  .label { font-size: 12px; fill: #2f5bd8; paint-order: stroke;
    stroke: #f6f7f9; stroke-width: 4px } .left { text-anchor: start }
  .title { font-weight: 600; text-anchor: start }
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"
  markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"
  style="fill: #565f6e; stroke: none; marker-end: none"/></marker></defs>
]]

-- A group of its own, and how large it is.
local function svg_of(machine)
  local arrows = arrows_of(machine)
  local rows = rows_of(machine, arrows)
  local places, widest = place_all(rows)
  local parts = { text_at(MARGIN, 24, machine.name, "title") }
  local lanes, longest = {}, 0
  for _, arrow in ipairs(arrows) do
    local row = places[arrow.from].row
    local lane = lanes[row] or 0
    lanes[row] = lane + 1
    longest = math.max(longest, #table.concat(arrow.labels, ", "))
    parts[#parts + 1] = arrow_svg(arrow, places, lane)
  end
  for _, name in ipairs(sorted(places)) do
    parts[#parts + 1] = box_svg(name, places[name], name == machine.initial)
  end
  return table.concat(parts, "\n"),
    widest + 2 * MARGIN + 120 + longest * CHAR, #rows * LINE + MARGIN
end

--- The machines as one SVG picture, below each other.
function graph.svg(machines)
  local parts, width, height = {}, 0, 0
  for _, machine in ipairs(machines) do
    local part, w, h = svg_of(machine)
    parts[#parts + 1] = ('<g transform="translate(0 %.0f)">\n%s\n</g>')
      :format(height, part)
    width, height = math.max(width, w), height + h
  end
  return ('<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" '
      .. 'height="%.0f">\n<rect width="100%%" height="100%%" '
      .. 'style="fill: #f6f7f9; stroke: none"/>\n'):format(width, height)
    .. STYLE .. table.concat(parts, "\n") .. "\n</svg>\n"
end

return graph
