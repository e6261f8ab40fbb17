return {
  hello = "Привет!",
  cups = { one = "{count} чашка", few = "{count} чашки",
    many = "{count} чашек" },
  points = { one = "очко", many = "очков" },
  card = "{who}",
  more = "только по-русски",
}
