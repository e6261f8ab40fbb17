--- What contexts can do with files. Not for scripts of authors, who find it in
-- the context.
local context = require "moonlet.ctx"
local files = require "moonlet.files"

local methods, check = context.methods, context.check

--- ctx:upload_document(name, file [, opts]): sends a file to the update's
-- chat, and to its topic or business connection. name: what people see. file:
-- { path = "out/report.pdf" }, a file below DATA_DIR/files, streamed and never
-- whole in memory; { data = "..." }, its bytes; a file that somebody has sent,
-- such as ctx.message.document; or a file_id or a URL as a text. opts:
-- sendDocument's parameters and those of an API call: progress, timeout,
-- action and the like. An unchanged file that was sent before is not sent
-- again, its file_id is. Returns the Message; raises as moonlet.api does, and
-- "misuse" if the update has no chat (Bot API sendDocument).

--- ctx:upload_photo(name, file [, opts]): as ctx:upload_document, for a photo
-- (Bot API sendPhoto).

--- ctx:upload_video(name, file [, opts]): as ctx:upload_document, for a video
-- (Bot API sendVideo).

--- ctx:upload_audio(name, file [, opts]): as ctx:upload_document, for music
-- (Bot API sendAudio).

--- ctx:upload_voice(name, file [, opts]): as ctx:upload_document, for a voice
-- message (Bot API sendVoice).

--- ctx:upload_animation(name, file [, opts]): as ctx:upload_document, for a
-- GIF or a video without sound (Bot API sendAnimation).

--- ctx:upload_video_note(name, file [, opts]): as ctx:upload_document, for a
-- round video (Bot API sendVideoNote).

--- ctx:upload_sticker(name, file [, opts]): as ctx:upload_document, for a
-- sticker (Bot API sendSticker).
for _, row in ipairs(files.kinds) do
  local kind, method = row[1], row[2]
  methods["upload_" .. kind] = function(ctx, name, file, opts)
    check("upload_" .. kind, ctx)
    return files.upload(ctx, kind, method, name, file, opts)
  end
end

--- ctx:send_album(items [, opts]): sends two to ten files as one album to the
-- update's chat. items: a list of InputMedia, whose media may be
-- { path = } or { data = }. opts: sendMediaGroup's parameters and those of an
-- API call. Returns the list of Messages; raises as ctx:upload_document does
-- (Bot API sendMediaGroup).
function methods.send_album(ctx, items, opts)
  check("send_album", ctx)
  return files.send_album(ctx, items, opts)
end

--- ctx:download(what [, opts]): fetches a file into DATA_DIR/files. what: a
-- file_id, an object that has one (a document, a list of photo sizes, of which
-- the largest is taken), or a Message with one. opts.to: the folder, made if
-- it is missing; opts.name: the file's name there (without it one made of
-- file_unique_id, with a safe extension); opts.timeout: a duration for the
-- whole (default FILE_DOWNLOAD_TIMEOUT); opts.max_size: bytes;
-- opts.progress: a function that is called with the bytes done and in all (0:
-- not known), at most twice a second. A file of that path is replaced when the
-- new one is whole; nothing is left of one that is not. Returns a table: path
-- (below DATA_DIR/files, as moonlet.fs takes it), size in bytes, and name, as
-- the sender called it, without what no name may hold. Raises "limit" (larger
-- than max_size, or than the 20 MB that api.telegram.org gives), "http" (the
-- server's answers, after MAX_RETRIES repeats), "fs" (the disk), "timeout",
-- and what moonlet.api raises (Bot API getFile).
function methods.download(ctx, what, opts)
  check("download", ctx)
  return files.download(what, opts)
end
