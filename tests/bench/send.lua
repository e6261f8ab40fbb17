-- wrk posts to the stub what the echo bot posts.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"chat_id":7123400000,"text":"#0 ' .. ("x"):rep(180) .. '"}'
