// Comfort only: every page reads and every form works without this file.
(function () {
  "use strict";
  const root = document.documentElement;

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function toggleTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch (refused) {
      // The choice then lasts as long as the page.
    }
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch (refused) {
      // Not allowed here (plain http on another host): select it, so that one key copies.
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      button.textContent = "Press Ctrl C";
    }
    setTimeout(() => { button.textContent = before; }, 1600);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-theme-toggle]");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    else toggleTheme();
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.getElementById("search");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Upload: say which of the wanted files were chosen, and how large they are.
  function size(bytes) {
    if (bytes < 1000) return bytes + " B";
    if (bytes < 1e6) return (bytes / 1e3).toFixed(1) + " kB";
    return (bytes / 1e6).toFixed(1) + " MB";
  }

  function listFiles(input) {
    const wanted = document.querySelectorAll("[data-wanted]");
    const files = new Map(Array.from(input.files, (file) => [file.name, file]));
    wanted.forEach((item) => {
      const file = files.get(item.dataset.wanted);
      item.classList.toggle("here", Boolean(file));
      item.querySelector(".size").textContent = file ? size(file.size) : "";
    });
  }

  const files = document.querySelector("input[type=file][data-files]");
  if (files) {
    const drop = files.closest(".drop");
    files.addEventListener("change", () => listFiles(files));
    ["dragenter", "dragover"].forEach((kind) => drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    }));
    ["dragleave", "drop"].forEach((kind) => drop.addEventListener(kind, () => drop.classList.remove("over")));
    drop.addEventListener("drop", (event) => {
      if (event.target === files) return;
      event.preventDefault();
      files.files = event.dataTransfer.files;
      listFiles(files);
    });
    listFiles(files);
  }

  // A large upload shows how far it is; the answer is the page that the form would have led to.
  function send(form, progress) {
    const request = new XMLHttpRequest();
    const button = form.querySelector("button:not([type=button])");
    const stop = (words) => {
      button.disabled = false;
      progress.hidden = true;
      progress.nextElementSibling.textContent = words;
    };
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress.value = event.loaded / event.total;
      progress.nextElementSibling.textContent = `${size(event.loaded)} of ${size(event.total)}`;
    });
    request.addEventListener("load", () => {
      if (request.status < 300) {
        location.assign(request.responseURL);
        return;
      }
      document.open();
      document.write(request.responseText);
      document.close();
    });
    request.addEventListener("error", () => stop("The connection broke before the hub answered; send it again."));
    request.open("POST", form.action);
    request.send(new FormData(form));
    button.disabled = true;
    progress.hidden = false;
  }

  const upload = document.querySelector("form[data-upload]");
  if (upload) {
    upload.addEventListener("submit", (event) => {
      event.preventDefault();
      send(upload, upload.querySelector("progress"));
    });
  }

  // A live trail is replaced when it changes: what the reader opened stays open.
  let open = [];
  document.addEventListener("htmx:beforeSwap", () => {
    open = Array.from(document.querySelectorAll("details[open][id]"), (one) => one.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
  });
})();
