--- Which known name was meant. Not for scripts of authors.
local nearest = {}

local LONGEST = 64 -- bytes of a name that is compared

-- Changed, missing, additional and swapped letters between two names.
local function distance(a, b)
  local before, last = nil, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1,
        last[j - 1] + (same and 0 or 1))
      if before and j > 1 and a:byte(i) == b:byte(j - 1)
        and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

--- The name of the list that differs least, nil if none is near.
function nearest.of(name, names)
  if #name > LONGEST then return nil end
  local found, least = nil, math.max(1, (#name + 2) // 3) + 1
  for _, each in ipairs(names) do
    local far = #each <= LONGEST and distance(name, each) or least
    if far < least then found, least = each, far end
  end
  return found
end

--- '; did you mean "photo"?', or "" if nothing is near.
function nearest.hint(name, names)
  local found = nearest.of(name, names)
  return found and ("; did you mean %q?"):format(found) or ""
end

return nearest
