-- retry
local file = retry(function()
  return ctx:upload_document("list.csv", { data = "1,2\n" })
end, { tries = 5, max_wait = 10 })
assert(file.document)
