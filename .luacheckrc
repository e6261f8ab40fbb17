-- Scripts run in a sandbox, configuration files in a smaller one.
std = "lua54"
max_line_length = 80
unused_args = false -- a handler's arguments are given, used or not
files["**/config.lua"] = { read_globals = { "env" } }

-- wrk gives its scripts this table to fill.
files["tests/bench/send.lua"] = { globals = { "wrk" } }
