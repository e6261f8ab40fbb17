return {
  hello = "Hello, {name}. /form asks you two things.",
  help = "Try /start or /form.",
  wave = "Wave",
  waved = { one = "You waved once.", other = "You waved {count} times." },
  form = {
    name = "What is your name?",
    town = "Where do you live?",
    done = "Nice to meet you, {name} from {town}.",
    cancelled = "As you like.",
    none = "There is nothing to leave.",
  },
}
