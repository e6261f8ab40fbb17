return {
  hello = "Hallo, {name}. /form stellt dir zwei Fragen.",
  help = "Versuch es mit /start oder /form.",
  wave = "Winken",
  waved = { one = "Einmal gewinkt.", other = "{count} Mal gewinkt." },
  form = {
    name = "Wie heißt du?",
    town = "Wo wohnst du?",
    done = "Schön, dich zu treffen, {name} aus {town}.",
    cancelled = "Wie du willst.",
    none = "Du bist in keinem Formular.",
  },
}
