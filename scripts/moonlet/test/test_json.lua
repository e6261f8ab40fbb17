--- What specs get as moonlet.json: the same functions that scripts have. Not
-- for scripts of authors.
local core = require "moonlet.test.core"

return { decode = core.decode, encode = core.encode,
  array = function(list) return core.array(list or {}) end, null = core.null }
