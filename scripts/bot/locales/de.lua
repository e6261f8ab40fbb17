return {
  commands = {
    start = "Anfangen",
    add = "Eine Datei ablegen",
    invite = "Jemanden einladen",
    language = "Sprache wählen",
    settings = "Einstellungen ändern",
    help = "Was ich kann",
  },
  back = "« Zurück",
  start = {
    hello = "Hallo, <b>{name}</b>. Ich bewahre Dateien mit Titel und "
      .. "Schlagworten auf. Schick mir eine, oder drück einen Knopf.",
    invited = "Hallo, <b>{name}</b>. Jemand hat dich hierher geschickt. Ich "
      .. "bewahre Dateien mit Titel und Schlagworten auf. Schick mir eine, "
      .. "oder drück einen Knopf.",
    yourself = "Hallo, <b>{name}</b>. Das ist dein eigener Link: schick ihn "
      .. "jemand anderem.",
    odd_link = "Hallo, <b>{name}</b>. Ich weiß nicht, was dieser Link "
      .. "bedeutet, aber du bist willkommen. Schick mir eine Datei, oder "
      .. "drück einen Knopf.",
    no_file = "Hinter diesem Link habe ich keine Datei.",
    add = "Datei ablegen",
    settings = "Einstellungen",
    help = "Hilfe",
  },
  help = "<b>Was ich kann</b>\n{commands}\n\n"
    .. "Ein Dokument oder ein Foto beginnt sofort einen neuen Eintrag.",
  invite = {
    text = "Schick das jemandem: {link}",
    copy = "Link kopieren",
  },
  language = {
    name = "Deutsch",
    app = "Wie in meiner App",
    title = "Welche Sprache soll ich sprechen?",
    done = "Ich spreche Deutsch.",
  },
  settings = {
    title = "<b>Einstellungen</b>\nIch spreche {language}.",
    preview = "Die Datei vor dem Speichern zeigen",
    plain = "Keine Knöpfe, wenn ich nicht verstehe",
    language = "Sprache …",
    on = "Eingeschaltet",
    off = "Ausgeschaltet",
  },
  add = {
    title = "Wie heißt es? Auch eine Datei kann jetzt kommen.",
    title_of_file = "Wie soll diese Datei heißen?",
    title_hint = "Der Titel",
    tags = "Welche Schlagworte bekommt es?",
    tags_hint = "Tee, Quittungen",
    no_tags = "Keine Schlagworte",
    none = "keine",
    file_kept = "Die Datei gehört nun dazu. Weiter mit meiner Frage.",
    too_long = "Das ist zu lang: höchstens {count} Zeichen.",
    card = "<b>{title}</b>\nSchlagworte: <i>{tags}</i>",
    save = "Speichern",
    again = "Noch einmal",
    cancel = "Abbrechen",
    saved = "Gespeichert.",
    saved_file = "Gespeichert. Dein Link dorthin: {link}",
    cancelled = "Abgebrochen. Nichts wurde gespeichert.",
    expired = "Du warst eine halbe Stunde weg, da habe ich das Formular "
      .. "weggelegt. /add beginnt von vorn.",
    nothing = "Es gibt nichts abzubrechen.",
    outdated = "Dieser Knopf gehört zu einem früheren Formular.",
  },
  unknown = {
    command = "Einen Befehl {name} kenne ich nicht. /help zählt sie auf.",
    text = "Das habe ich nicht verstanden. Soll ich etwas aufbewahren?",
    plain = "Das habe ich nicht verstanden. /help sagt, was ich kann.",
  },
  admin = {
    stats = "Seit dem letzten Laden, vor {minutes} min:\n{updates}",
    say_what = "So geht es: /say TEXT, oder /say CHAT_ID TEXT",
    said = "Gesagt.",
    refused = "Nicht gesagt: {why}",
  },
}
