// A file dropped on the upload's frame is put into its file field; the field alone does the work without script.
for (const zone of document.querySelectorAll("[data-drop-zone]")) {
  const input = zone.querySelector("input[type=file]");
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
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}
