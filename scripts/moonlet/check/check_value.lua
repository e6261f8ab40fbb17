--- What an expression is, as far as it is certain. Not for scripts of
-- authors.
local check_value = {}

--- The node that a local variable stands for, if it always does.
function check_value.behind(node)
  while node.kind == "name" and node.var and not node.var.changed
    and node.var.value do
    node = node.var.value
  end
  return node
end
local behind = check_value.behind

--- The module that an expression is: "moonlet.fs", or nil.
function check_value.module(node)
  node = behind(node)
  local fn = node.kind == "call" and node.fn
  local first = fn and node.arguments[1]
  if first and first.kind == "text" and fn.kind == "name" and not fn.var
    and fn.name == "require" then
    return first.value
  end
end

--- Is it the context of a handler? It is called ctx, a first parameter.
function check_value.is_context(node)
  local var = node.kind == "name" and node.var
  return var and var.name == "ctx" and var.parameter == 1
    and not var.changed or false
end

--- The text of an index that is written with a dot or as a literal.
function check_value.key(node)
  return node.key.kind == "text" and node.key.value or nil
end

--- Is it moonlet.api or ctx.api?
function check_value.is_api(node)
  node = behind(node)
  if check_value.module(node) == "moonlet.api" then return true end
  return node.kind == "index" and check_value.key(node) == "api"
    and check_value.is_context(node.object)
end

return check_value
