--- The keys of a table in order, all of them texts. Not for scripts of authors.
return function(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end
