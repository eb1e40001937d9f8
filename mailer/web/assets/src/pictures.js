// Pictures in the article editor: chosen, pasted or dropped, uploaded at once, and never without words for those who do
// not see them.
import { Node, mergeAttributes } from "@tiptap/core";

export const Picture = Node.create({
  name: "picture",
  group: "inline",
  inline: true,
  draggable: true,
  addAttributes: () => ({ src: { default: null }, alt: { default: "" }, width: { default: null } }),
  parseHTML: () => [{ tag: "img[src]" }],
  renderHTML: ({ HTMLAttributes }) => ["img", mergeAttributes(HTMLAttributes)],
});

export const wakePictures = (root, editor) => {
  const dialog = root.querySelector("[data-picture-dialog]");
  const file = dialog.querySelector("input[type=file]");
  const alt = dialog.querySelector("input[type=text]");
  const problem = dialog.querySelector("[data-picture-problem]");
  const put = dialog.querySelector("[data-picture-put]");
  const form = root.closest("form");
  let given = null;
  let isChange = false;

  const complain = (words, field) => {
    problem.textContent = words;
    problem.hidden = !words;
    field?.focus();
  };

  // Gives where the picture lies and how wide it is shown, or what is wrong with it.
  const upload = async (picture) => {
    const data = new FormData();
    data.set("csrf_token", form.elements.csrf_token.value);
    data.set("picture", picture);
    const answer = await fetch(dialog.dataset.pictureDialog, { method: "POST", body: data, headers: { Accept: "application/json" } });
    return answer.json();
  };

  const ask = (dropped = null) => {
    given = dropped;
    isChange = !dropped && editor.isActive("picture");
    file.value = "";
    file.closest("[data-picture-file]").hidden = Boolean(dropped) || isChange;
    alt.value = isChange ? editor.getAttributes("picture").alt : "";
    complain("");
    dialog.showModal();
  };

  const place = async () => {
    const words = alt.value.trim();
    const chosen = given ?? file.files[0];
    if (!isChange && !chosen) return complain(problem.dataset.noFile, file);
    if (!words) return complain(problem.dataset.noAlt, alt);
    if (isChange) {
      dialog.close();
      return editor.chain().focus().updateAttributes("picture", { alt: words }).run();
    }
    put.disabled = true;
    try {
      const said = await upload(chosen);
      if (!said.src) return complain(said.message, file);
      dialog.close();
      // In a paragraph of its own, behind the one that is being written (or the table).
      const place = editor.state.selection.$to;
      const at = place.depth ? place.after(1) : place.pos;
      const picture = { type: "picture", attrs: { src: said.src, alt: words, width: said.width } };
      editor.chain().focus().insertContentAt(at, { type: "paragraph", content: [picture] }).run();
    } catch {
      complain(problem.dataset.failed);
    } finally {
      put.disabled = false;
    }
  };

  put.addEventListener("click", place);
  alt.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      place();
    }
  });
  return { ask, upload };
};

// The first picture among what was pasted or dropped.
export const pictureIn = (transfer) => [...(transfer?.files ?? [])].find((one) => one.type.startsWith("image/")) ?? null;
