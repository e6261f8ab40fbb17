return {
  hello = "Hello, {name}!",
  menu = { title = "Menu", back = "Back" },
  cups = { one = "{count} cup", other = "{count} cups", zero = "no cups" },
  card = "<b>{name}</b> has 100% of {count} points & more",
  points = { one = "a point", other = "points" },
  only_english = "only here",
}
