-- json.decode
assert(json.decode('{"a":[1,2]}').a[2] == 2)
-- json.encode
assert(json.encode { n = 1 } == '{"n":1}')
-- json.array
assert(json.encode(json.array()) == "[]")
-- json.null
assert(json.encode { a = json.null } == '{"a":null}')
