// What is pasted from Word, WPS or a page: put into the field as text with those hints that the parser reads (headings,
// Word's classes, sizes, bold, centring, lists, tables), and nothing that would load, run or hide. It leaves as an .html
// file, by the way that every document goes.
const BLOCKS = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "TABLE", "TBODY", "THEAD", "TFOOT",
  "TR", "TD", "TH", "BLOCKQUOTE", "PRE", "DIV", "HR", "BR", "B", "STRONG"]);
const LEFT = new Set(["SCRIPT", "STYLE", "HEAD", "TITLE", "META", "LINK", "XML", "TEMPLATE", "NOSCRIPT", "OBJECT",
  "IFRAME", "SVG", "BUTTON", "SELECT", "INPUT", "TEXTAREA"]);
const KEPT_PICTURE = /^data:image\/(png|jpeg|gif|webp|bmp);base64,/;

export function pasted(holder) {
  const area = holder.querySelector("textarea");
  const place = holder.querySelector("[data-paste-place]");
  area.hidden = true;
  area.disabled = true;
  place.hidden = false;
  holder.querySelector("[data-paste-plain]").hidden = true;
  holder.querySelector("[data-paste-rich]").hidden = false;
  for (const line of area.value.split("\n")) if (line.trim()) place.append(paragraph(line));
  // A label is for a field; the place is found by its name.
  holder.querySelector("label").addEventListener("click", () => place.focus());

  place.addEventListener("paste", (event) => {
    event.preventDefault();
    document.querySelector("[data-import-outcome]").replaceChildren();
    const html = event.clipboardData.getData("text/html");
    const piece = html ? cleaned(html, holder.dataset.picture) : lines(event.clipboardData.getData("text/plain"));
    insert(place, piece);
  });
  place.addEventListener("drop", (event) => event.preventDefault());

  return (data) => {
    data.delete("text");
    if (!place.textContent.trim()) return;
    const page = `<!doctype html><html><head><meta charset="utf-8"></head><body>${place.innerHTML}</body></html>`;
    data.append("document", new Blob([page], { type: "text/html" }), `${holder.dataset.name}.html`);
  };
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function lines(text) {
  const piece = document.createDocumentFragment();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim()) piece.append(paragraph(line));
    // An empty line is a hint, too.
    else piece.append(Object.assign(document.createElement("p"), { innerHTML: "<br>" }));
  }
  return piece;
}

function insert(place, piece) {
  const chosen = window.getSelection();
  const range = chosen.rangeCount && place.contains(chosen.anchorNode) ? chosen.getRangeAt(0) : null;
  if (!range || !place.textContent.trim()) {
    if (!place.textContent.trim()) place.replaceChildren();
    place.append(piece);
  } else {
    range.deleteContents();
    // Between blocks, never inside one: a paragraph holds no paragraphs.
    let block = range.startContainer;
    while (block !== place && block.parentNode !== place) block = block.parentNode;
    if (block === place) range.insertNode(piece);
    else block.after(piece);
  }
  chosen.selectAllChildren(place);
  chosen.collapseToEnd();
}

function cleaned(html, picture) {
  // Without a window of its own, the document neither loads nor runs anything. Styles are read as text: the page's policy
  // forbids applying them, and the browser would complain.
  const unstyled = html.replace(/<style[\s\S]*?<\/style\s*>/gi, "").replace(/(<[^>]*\s)style\s*=/gi, "$1data-style=");
  const source = new DOMParser().parseFromString(unstyled, "text/html");
  const piece = document.createDocumentFragment();
  copy(source.body, piece, picture);
  return piece;
}

function copy(from, to, picture) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      to.append(node.data);
      continue;
    }
    const style = (node.dataset?.style ?? "").toLowerCase();
    if (node.nodeType !== Node.ELEMENT_NODE || LEFT.has(node.tagName) || isHidden(style)) continue;
    if (node.tagName === "IMG") {
      to.append(image(node, picture));
    } else if (BLOCKS.has(node.tagName)) {
      const made = document.createElement(node.tagName);
      hint(made, node, style);
      copy(node, made, picture);
      to.append(made);
    } else if (/font-(size|weight)/.test(style)) {
      const made = document.createElement("span");
      hint(made, node, style);
      copy(node, made, picture);
      to.append(made);
    } else {
      copy(node, to, picture);
    }
  }
}

function isHidden(style) {
  return /display\s*:\s*none|mso-hide\s*:\s*all/.test(style);
}

function hint(made, node, style) {
  const known = /\bMso(Title|Toc\w*|Caption|Heading\w*)\b/i.exec(node.className ?? "");
  if (known) made.className = known[0];
  const size = /font-size\s*:\s*([\d.]+(?:pt|px))/.exec(style);
  if (size) made.style.fontSize = size[1];
  if (/font-weight\s*:\s*(bold|[6-9]00)/.test(style)) made.style.fontWeight = "bold";
  if (/text-align\s*:\s*center/.test(style) || node.getAttribute("align") === "center") made.style.textAlign = "center";
  if (node.tagName === "OL" && node.start > 1) made.start = node.start;
}

function image(node, picture) {
  const source = node.getAttribute("src") ?? "";
  if (KEPT_PICTURE.test(source)) {
    return Object.assign(document.createElement("img"), { src: source, alt: node.alt });
  }
  // It lies on the computer it was copied from: its words say where one was.
  return `[${node.alt || picture}]`;
}
