// Runs before the first paint, so that a chosen scheme never flashes.
try {
  const theme = localStorage.getItem("moonlet.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's scheme stays.
}
