// The files of a field as a list: dropped ones are added, and each can be moved up, down, or left out.

export function order(form, list) {
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector("[data-drop-zone]");
  const icons = form.querySelector("template[data-icons]").content.querySelectorAll("svg");
  const entries = list.querySelector("ol");

  const put = (files) => {
    const carrier = new DataTransfer();
    for (const file of files) carrier.items.add(file);
    input.files = carrier.files;
    show();
  };

  const button = (name, picture, words, act, isIdle) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm btn-icon btn-ghost-secondary";
    made.setAttribute("aria-label", words.replace("{name}", name));
    made.append(icons[picture].cloneNode(true));
    made.disabled = isIdle;
    made.addEventListener("click", act);
    return made;
  };

  const move = (from, to) => {
    const files = [...input.files];
    files.splice(to, 0, ...files.splice(from, 1));
    put(files);
    // The same button of the same file, so that the next press goes on; at the end of the way the other one.
    const [up, down] = entries.children[to].querySelectorAll("button");
    const [same, other] = to < from ? [up, down] : [down, up];
    (same.disabled ? other : same).focus();
  };

  const show = () => {
    const files = [...input.files];
    entries.replaceChildren(
      ...files.map((file, at) => {
        const entry = document.createElement("li");
        const name = document.createElement("span");
        entry.className = "list-group-item";
        name.className = "file-name";
        name.textContent = file.name;
        entry.append(
          name,
          button(file.name, 0, list.dataset.up, () => move(at, at - 1), at === 0),
          button(file.name, 1, list.dataset.down, () => move(at, at + 1), at === files.length - 1),
          button(file.name, 2, list.dataset.remove, () => {
            put(files.filter((_, other) => other !== at));
            (entries.querySelector("button:not(:disabled)") ?? input).focus();
          }, false),
        );
        return entry;
      }),
    );
    list.hidden = files.length < 2;
  };

  input.addEventListener("change", show);
  const light = (isOver) => zone.classList.toggle("is-over", isOver);
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      light(true);
    });
  }
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) light(false);
  });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    light(false);
    if (event.dataTransfer.files.length) put([...input.files, ...event.dataTransfer.files]);
  });
  show();
}
