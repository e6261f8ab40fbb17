-- Scripts run in a sandbox: these are the names that exist there.
std = "lua54"
max_line_length = 80
unused_args = false
files["tests"] = { read_globals = { "moonlet" } }
