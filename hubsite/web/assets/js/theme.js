// Runs before the first paint, so that a chosen theme does not flash.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (refused) {
    // Storage may be switched off; the system's preference holds then.
  }
})();
