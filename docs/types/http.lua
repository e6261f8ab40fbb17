---@meta moonlet.http
-- Made by docs/luacats.py; see there.

---Requests to other people's servers, over http:// and https:// with the
---certificate checked (against SSL_CERT_FILE if it is set), through
---HTTPS_PROXY if there is one, but for the hosts of NO_PROXY. Each function
---waits without holding up other handlers and returns an answer. Any status is
---an answer, not an error, unless opts.check says otherwise. An answer has
---status (a number), ok (whether it is 200 to 299), headers (by their names in
---lower case; several of one name joined by ", ", set-cookie always a list),
---body (its bytes) and url (the last one, after redirects). Compressed answers
---are not asked for; what comes compressed all the same stays so, as its
---content-encoding says. A redirect to another host, port or scheme takes
---neither Authorization nor Cookie along, but all other headers, also from
---https:// to http://; only these two are followed. Raises kind "http" (not
---connected, refused certificate, connection lost), "timeout", "limit" (a
---larger answer; too many redirects; or 1,000 requests wait already for one of
---the 64 that may be on the way at once), "fs" (of opts.from and opts.to) and
---"misuse". Errors name the host, never the rest of the address. Nothing is
---sent twice by itself: err.retryable says whether moonlet.retry may, which is
---so if the request was surely not sent, and for lost ones of GET and HEAD.
---@class moonlet.http
local http = {}

---@class moonlet.http.response
---@field status integer
---@field headers table
---@field body string
local http_response = {}

---The value that the body of an answer holds as JSON; null becomes json.null
---of moonlet.json. Raises kind "http" if it is none.
---@return any ...
function http_response:json() end

---Asks for what is there. opts: as http.request, but for those that make a
---body.
---@param url string
---@param opts? table
---@return moonlet.http.response
function http.get(url, opts) end

---Sends bytes; or nil and what opts.json, opts.form or opts.from give. opts:
---as http.request.
---@param url string
---@param body? any
---@param opts? table
---@return moonlet.http.response
function http.post(url, body, opts) end

---A request of any method: "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "GET",
---"POST". opts.headers: a table; a value may be a list. opts.query: a table
---that is encoded and added to the address; a value may be a list.
---opts.timeout: of the whole call; REQUEST_TIMEOUT unless it is given.
---opts.max_size: bytes of the answer, 8 MiB unless it is given.
---opts.redirects: how many are followed, 5 unless it is given; 0: none, the
---answer that redirects is the answer. opts.check: true: another status than
---200 to 299 raises kind "http", with the status as err.code and the answer as
---err.response. The body is one of opts.json (any value), opts.form (a table),
---opts.body (bytes, with a Content-Type in opts.headers if it needs one) and
---opts.from (the path of a file of moonlet.fs, which is sent a piece at a
---time). opts.to: the path of a file of moonlet.fs: an answer of status 200 to
---299 goes there a piece at a time and is never seen half; the answer then has
---path and size and an empty body, and opts.max_size is 2 GiB unless it is
---given. Of another answer the first 64 KiB are its body, and the file stays
---as it was. With opts.from or opts.to the call may take
---FILE_DOWNLOAD_TIMEOUT, and stand still for TRANSFER_STALL_TIMEOUT.
---@param method string
---@param url string
---@param opts? table
---@return moonlet.http.response
function http.request(method, url, opts) end

return http
