---@meta moonlet.fs
-- Made by docs/luacats.py; see there.

---the bot's own files. All paths are relative to the folder "files" in
---DATA_DIR and stay below it: names with "/" between two, at most 1,000 bytes,
---without "." and ".."; symbolic links are not followed. Every function waits
---without holding up other handlers. Its last argument may be a table of
---options: `timeout`, a duration (default 30 seconds); a call that timed out
---may still be carried out. What a function has changed is on disk when it
---returns. Two calls are worked on at a time, in the order in which they were
---made; while 1,000 wait, another one raises kind "limit". Wrong arguments
---raise kind "misuse". What the system refuses raises kind "fs": `message`
---names the path and the reason, `code` is the errno (2: no such file).
---@class moonlet.fs
local fs = {}

---The text of a file. options.max: its largest size in bytes (default 16 MiB,
---at most 256 MiB); a larger file raises kind "limit".
---@param path string
---@param options? table
---@return string
function fs.read(path, options) end

---Makes the text the whole of a file, and the folders that it needs. A file is
---never half written: whoever reads it, and whatever happens, finds the old
---text or the new one.
---@param path string
---@param text string
---@param options? table
---@return any ...
function fs.write(path, text, options) end

---Adds to the end of a file; makes it and the folders that it needs. On a full
---disk a part may have been added.
---@param path string
---@param text string
---@param options? table
---@return any ...
function fs.append(path, text, options) end

---What is in a folder, without a path in the folder of all files: a list,
---sorted by name, of tables with `name`, `type` ("file", "folder", or "other"
---for what fs does not open), `size` (bytes of a file) and `modified` (Unix
---seconds). More than 10,000 names raise kind "limit".
---@param path? string
---@param options? table
---@return any ...
function fs.list(path, options) end

---The table that fs.list has for this path, or nil if there is nothing.
---@param path string
---@param options? table
---@return any ...
function fs.stat(path, options) end

---Removes a file or an empty folder.
---@param path string
---@param options? table
---@return any ...
function fs.remove(path, options) end

---Moves a file or a folder, and makes the folders that `to` needs. A file that
---is there is replaced at once.
---@param from any
---@param to any
---@param options? table
---@return any ...
function fs.rename(from, to, options) end

---Makes a folder and those above it. One that exists already is fine.
---@param path string
---@param options? table
---@return any ...
function fs.mkdir(path, options) end

return fs
