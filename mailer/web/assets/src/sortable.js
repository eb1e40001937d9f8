// Reordering by mouse or finger. The up and down buttons beside each entry do the same by keyboard and without script.
import Sortable from "sortablejs";

for (const list of document.querySelectorAll("[data-sortable]")) {
  Sortable.create(list, {
    handle: ".drag-handle",
    animation: 120,
    onEnd() {
      const form = document.getElementById(list.dataset.sortable);
      form.elements.order.value = [...list.children].map((item) => item.dataset.id).join(",");
      form.requestSubmit();
    },
  });
}
