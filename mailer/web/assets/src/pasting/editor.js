// Pasting and dropping into the article editor: text is tidied, pictures inside it are uploaded, and what could not come
// along is told.
import { pictureIn } from "../pictures.js";
import { isPictureAlone, tidied } from "./editorial.js";

// What was copied inside an editor says so.
const isOwn = (html) => html.includes("data-pm-slice");

export const wakePasting = (root, editor, { askForPicture, upload }) => {
  const told = root.querySelector("[data-paste-told]");
  const words = told.dataset;
  let taken = null;
  // HTML of ours that is on its way into the text is not tidied once more.
  let isReady = false;

  const say = (...sentences) => {
    told.textContent = sentences.filter(Boolean).join(" ");
    told.parentElement.hidden = !told.textContent;
  };
  const tell = ({ missing, hasRevisions }) =>
    say(missing && words.missing.replace("{n}", missing), hasRevisions && words.revisions);

  const tidy = (html) => {
    if (isReady || isOwn(html)) return html;
    taken = tidied(html, words.picture);
    return taken.html;
  };

  const insert = async (paste) => {
    say(words.uploading);
    const made = document.createElement("template");
    made.innerHTML = paste.html;
    for (const picture of made.content.querySelectorAll("[data-pasted]")) {
      const { type, content } = paste.files[picture.dataset.pasted];
      let said = {};
      try {
        said = await upload(new File([Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0))], "pasted", { type }));
      } catch {
        // Neither what is broken nor what the server did not take comes along.
      }
      if (said.src) {
        picture.src = said.src;
        picture.width = said.width;
        delete picture.dataset.pasted;
      } else {
        picture.replaceWith(`[${picture.alt || words.picture}]`);
        paste.missing += 1;
      }
    }
    isReady = true;
    editor.view.pasteHTML(made.innerHTML);
    isReady = false;
    tell(paste);
  };

  // Whether it was taken here, and the editor has nothing more to do.
  const take = (transfer, drop = null) => {
    const paste = taken;
    taken = null;
    const html = transfer?.types.includes("text/html") ? transfer.getData("text/html") : "";
    const file = pictureIn(transfer);
    // A picture that was copied alone comes with its file; text from Word comes with a picture of itself.
    if (file && (!html || (!isOwn(html) && isPictureAlone(html)))) {
      askForPicture(file);
      return true;
    }
    if (!paste) return false;
    tell(paste);
    if (!paste.files.length) return false;
    const place = drop && editor.view.posAtCoords({ left: drop.clientX, top: drop.clientY });
    if (place) editor.commands.setTextSelection(place.pos);
    insert(paste);
    return true;
  };
  return { tidy, take };
};
