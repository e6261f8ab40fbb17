#!/usr/bin/env python3
"""Writes engine/base/botapi_tables.c from the JSON files beside this script.

    vendor/botapi/generate.py           write the file
    vendor/botapi/generate.py --check   exit 1 if the file is not current
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE.parent.parent / "engine" / "base" / "botapi_tables.c"

# The rows of errors.json that code refers to, as enum botapi_error in
# botapi.h. A description is looked up by its beginning, which must be unique
# among the rows of its code.
ERRORS = [
    ("BLOCKED", 403, "Forbidden: bot was blocked by the user"),
    ("NOT_STARTED", 403, "Forbidden: bot can't initiate conversation"),
    ("CHAT_NOT_FOUND", 400, "Bad Request: chat not found"),
    ("USER_NOT_FOUND", 400, "Bad Request: user not found"),
    ("CONFLICT_POLL", 409, "Conflict: terminated by other getUpdates"),
    ("UNAUTHORIZED", 401, "Unauthorized"),
    ("TOKEN_INVALID", 401, "Unauthorized: invalid token specified"),
    ("TOKEN_UNALLOWED", 421, "Misdirected Request: unallowed token"),
    ("NOT_FOUND", 404, "Not Found"),
    ("METHOD_NOT_FOUND", 404, "Not Found: method not found"),
    ("RESTART", 500, "Internal Server Error: restart"),
    ("NOT_MODIFIED", 400, "Bad Request: message is not modified"),
    ("EDIT_NOT_FOUND", 400, "Bad Request: message to edit not found"),
    ("DELETE_NOT_FOUND", 400, "Bad Request: message to delete not found"),
    ("FORWARD_NOT_FOUND", 400, "Bad Request: message to forward not found"),
    ("COPY_NOT_FOUND", 400, "Bad Request: message to copy not found"),
    ("REPLY_NOT_FOUND", 400, "Bad Request: message to be replied not found"),
    ("CANNOT_EDIT", 400, "Bad Request: message can't be edited"),
    ("NO_TEXT_TO_EDIT", 400, "Bad Request: there is no text in the message"),
    ("NO_CAPTION_TO_EDIT", 400, "Bad Request: there is no caption in the"),
    ("QUERY_TOO_OLD", 400, "Bad Request: query is too old"),
    ("TEXT_EMPTY", 400, "Bad Request: message text is empty"),
    ("MESSAGE_TOO_LONG", 400, "Bad Request: message is too long"),
    ("TEXT_TOO_LONG", 400, "Bad Request: text is too long"),
    ("CAPTION_TOO_LONG", 400, "Bad Request: message caption is too long"),
    ("BUTTON_DATA_INVALID", 400, "Bad Request: BUTTON_DATA_INVALID"),
    ("PARSE_MODE", 400, "Bad Request: unsupported parse_mode"),
    ("CHAT_ID_EMPTY", 400, "Bad Request: chat_id is empty"),
    ("NO_MESSAGE_ID", 400, "Bad Request: message identifier is not"),
    ("NO_MESSAGE_IDS", 400, "Bad Request: message identifiers are not"),
    ("TOO_MANY_IDS", 400, "Bad Request: too many message identifiers"),
    ("BAD_KEYBOARD", 400, "Bad Request: can't parse reply keyboard markup"),
    ("OBJECT_EXPECTED", 400, "Bad Request: object expected as reply markup"),
    ("INLINE_EXPECTED", 400, "Bad Request: inline keyboard expected"),
    ("TEXT_BUTTONS", 400, "Bad Request: text buttons are unallowed"),
    ("WRONG_ACTION", 400, "Bad Request: wrong parameter action"),
    ("NO_FILE_ID", 400, "Bad Request: file_id not specified"),
    ("MEDIA_EXPECTED", 400, "Bad Request: expected an Array of InputMedia"),
    ("ALBUM_TOO_BIG", 400, "Bad Request: too many messages to send as an"),
    ("ALBUM_EMPTY", 400, "Bad Request: there are no messages to send"),
    ("DEACTIVATED", 403, "Forbidden: user is deactivated"),
    ("TO_BOT", 403, "Forbidden: the bot can't send messages to the bot"),
    ("GROUP_DELETED", 403, "Forbidden: the group chat was deleted"),
    ("KICKED_GROUP", 403, "Forbidden: bot was kicked from the group chat"),
    ("KICKED_SUPERGROUP", 403, "Forbidden: bot was kicked from the super"),
    ("KICKED_CHANNEL", 403, "Forbidden: bot was kicked from the channel"),
    ("LEFT_GROUP", 403, "Forbidden: bot is not a member of the group"),
    ("LEFT_SUPERGROUP", 403, "Forbidden: bot is not a member of the super"),
    ("LEFT_CHANNEL", 403, "Forbidden: bot is not a member of the channel"),
    ("MIGRATED", 400, "Bad Request: group chat was upgraded"),
    ("LOGGED_OUT", 400, "Logged out"),
    ("ALREADY_CLOSED", 400, "Bad Request: the bot has already been closed"),
    ("REACT_NOT_FOUND", 400, "Bad Request: message to react not found"),
    ("PIN_NOT_FOUND", 400, "Bad Request: message to pin not found"),
    ("UNPIN_NOT_FOUND", 400, "Bad Request: message to unpin not found"),
    ("THREAD_NOT_FOUND", 400, "Bad Request: message thread not found"),
    ("TOPIC_CLOSED", 400, "Bad Request: TOPIC_CLOSED"),
    ("CANNOT_DELETE", 400, "Bad Request: message can't be deleted"),
    ("CANNOT_REVOKE", 400, "Bad Request: message can't be deleted for"),
    ("PROTECTED", 400, "Bad Request: message has protected content"),
    ("TEXT_BLANK", 400, "Bad Request: text must be non-empty"),
    ("MARKUP_TOO_LONG", 400, "Bad Request: reply markup is too long"),
    ("CANNOT_PARSE", 400, "Bad Request: can't parse entities: "),
    ("NO_CHAT_ID", 400, "Bad Request: chat identifier is not specified"),
    ("TOO_MANY_RESULTS", 400, "Bad Request: too many inline query results"),
    ("BAD_FILE", 400, "Bad Request: wrong file identifier/HTTP URL"),
    ("BAD_FILE_ID", 400, "Bad Request: invalid file_id"),
    ("CANNOT_RESTRICT", 400, "Bad Request: not enough rights to restrict"),
    ("IS_ADMIN", 400, "Bad Request: user is an administrator of the"),
    ("ONLY_SUPERGROUPS", 400, "Bad Request: method is available only for"),
    ("NO_ADMINS", 400, "Bad Request: there are no administrators in the"),
]


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def text(value):
    if value is None:
        return "NULL"
    if len(value) <= 64:
        return json.dumps(value)
    pieces, current = [], ""
    for part in re.findall(r"[^| ]*[| ]?", value):
        if len(current) + len(part) > 64:
            pieces.append(current)
            current = ""
        current += part
    return "\n     ".join(json.dumps(p) for p in [*pieces, current])


def row(*parts):
    """One initialiser, broken where it would pass 80 columns."""
    line = "    {" + ", ".join(parts) + "},"
    if len(line) <= 80 and "\n" not in line:
        return line
    lines, current = [], "    {"
    for part in parts:
        last = current.rpartition("\n")[2]
        if len(last) + len(part) + 3 > 80 and last.strip() != "{":
            lines.append(current.rstrip())
            current = "     "
        current += part + ", "
    lines.append(current[:-2] + "},")
    return "\n".join(lines)


def field_row(field):
    return row(text(field["name"]), text("|".join(field["types"])),
               text(field.get("value")),
               "true" if field["required"] else "false")


def fields_table(name, owners, key):
    """The rows of all owners in one array, and where each owner's begin."""
    rows, starts = [], {}
    for owner in owners:
        starts[owner["name"]] = sum(1 for _ in rows)
        rows.extend(field_row(field) for field in owner[key])
    head = f"static const struct botapi_field {name}[] = {{"
    return [head, *rows, "};", ""], starts


def slice_of(table, start, count):
    return (f"{table} + {start}" if count else "NULL"), str(count)


def method_rows(methods, starts):
    for m in methods:
        yield row(text(m["name"]), text("|".join(m["returns"])),
                  *slice_of("params", starts[m["name"]], len(m["params"])))


def type_rows(types, starts):
    for t in types:
        one_of = "|".join(t["one_of"]) if t.get("one_of") else None
        yield row(text(t["name"]), text(one_of),
                  *slice_of("fields", starts[t["name"]], len(t["fields"])))


def find_error(errors, code, beginning):
    found = [e for e in errors if e["error_code"] == code
             and e["description"].startswith(beginning)]
    exact = [e for e in found if e["description"] == beginning]
    found = exact or found
    if len(found) != 1:
        sys.exit(f"errors.json: {len(found)} rows for {code} {beginning!r}")
    return found[0]


def error_rows(errors):
    for name, code, beginning in ERRORS:
        found = find_error(errors, code, beginning)
        line = f"    [BOTAPI_{name}] = {{{code}, {text(found['description'])}}},"
        if len(line) > 80:
            line = (f"    [BOTAPI_{name}] =\n"
                    f"        {{{code}, {text(found['description'])}}},")
        yield line


def generate():
    # strcasecmp order for methods, strcmp order for types: binary search.
    methods = sorted(load("methods.json")["methods"],
                     key=lambda m: m["name"].lower())
    types = sorted(load("types.json")["types"], key=lambda t: t["name"])
    update = next(t for t in types if t["name"] == "Update")
    kinds = [f["name"] for f in update["fields"] if f["name"] != "update_id"]
    params, param_starts = fields_table("params", methods, "params")
    fields, field_starts = fields_table("fields", types, "fields")
    lines = [
        "/* Made by vendor/botapi/generate.py; change the data, not this. */",
        "/* clang-format off */",
        '#include "base/botapi.h"', "", *params,
        "const struct botapi_method botapi_methods[] = {",
        *method_rows(methods, param_starts), "};",
        f"const size_t botapi_methods_count = {len(methods)};", "", *fields,
        "const struct botapi_type botapi_types[] = {",
        *type_rows(types, field_starts), "};",
        f"const size_t botapi_types_count = {len(types)};", "",
        "const char *const botapi_kinds[] = {",
        *(f"    {text(kind)}," for kind in kinds), "};",
        f"const size_t botapi_kinds_count = {len(kinds)};", "",
        "const struct botapi_error_row botapi_errors[] = {",
        *error_rows(load("errors.json")), "};",
    ]
    return "\n".join(lines) + "\n"


def main():
    wanted = generate()
    if sys.argv[1:] == ["--check"]:
        current = OUTPUT.read_text() if OUTPUT.exists() else ""
        if current != wanted:
            sys.exit(f"{OUTPUT.name} is not current: run {sys.argv[0]}")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        OUTPUT.write_text(wanted)


if __name__ == "__main__":
    main()
