// What a clipboard holds as HTML, read for what its author meant: by Word, WPS, Google Docs or a page. The two places that
// take it (the article editor, and the paste of a whole bulletin) make of it what they can hold.
const LEFT = new Set(["SCRIPT", "STYLE", "HEAD", "TITLE", "META", "LINK", "XML", "TEMPLATE", "NOSCRIPT", "OBJECT", "IFRAME",
  "SVG", "BUTTON", "SELECT", "INPUT", "TEXTAREA", "AUDIO", "VIDEO", "CANVAS", "MATH"]);
// What reviewers wrote beside the text, the text of comments, and the line that Word draws above footnotes.
const BESIDE = ".MsoCommentReference, .msocomtxt, .msocomoff, .MsoCommentText";
const BULLET_FONT = /wingdings|webdings|symbol/i;
// Numbers that a list of HTML counts by itself. Others (一、 （一） ① 第一条) mean something: they stay as they are typed.
const COUNTED = /^(?:(\d{1,3})[.．)、:]?|[a-z]{1,4}[.)])$/i;

export const isOffice = (html) => /\bmso-|urn:schemas-microsoft-com:office/i.test(html);

// Gives the body of a document of its own, which neither loads nor runs anything. Styles and event handlers are read as
// text: the page's policy forbids both, and the browser would complain.
export function sourceOf(html) {
  const quiet = html
    .replace(/<style[\s\S]*?<\/style\s*>/gi, "")
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/(\s)(style|on[a-z]+)(?=\s*=)/gi, "$1data-$2"));
  const { body } = new DOMParser().parseFromString(quiet, "text/html");
  return { body, hasRevisions: settle(body) };
}

const stylesOf = new WeakMap();

// The styles of an element by name, both in small letters.
export function styleOf(node) {
  let styles = stylesOf.get(node);
  if (!styles) {
    styles = new Map();
    for (const declaration of (node.dataset?.style ?? "").toLowerCase().split(";")) {
      const at = declaration.indexOf(":");
      if (at > 0) styles.set(declaration.slice(0, at).trim(), declaration.slice(at + 1).trim());
    }
    stylesOf.set(node, styles);
  }
  return styles;
}

export const isBold = (styles) => {
  const weight = styles.get("font-weight");
  return weight === undefined ? null : /^(bold|[6-9]00)/.test(weight);
};

// The address a link leads to, where a reader can follow it; Google's detour is left out.
export function addressOf(link) {
  try {
    const url = new URL(link.getAttribute("href") ?? "");
    if (!/^(https?|mailto):$/.test(url.protocol)) return null;
    const target = /(^|\.)google\.[a-z.]+$/.test(url.hostname) && url.pathname === "/url" ? url.searchParams.get("q") : null;
    return target && /^https?:\/\//.test(target) ? target : link.getAttribute("href").trim();
  } catch {
    return null;
  }
}

// Takes out what is not the text: programs, what is hidden, what was struck out while changes were tracked, comments. Says
// whether there were such revisions.
function settle(body) {
  let hasRevisions = false;
  for (const node of [...body.querySelectorAll("*")]) {
    const styles = styleOf(node);
    const isRevision =
      (node.tagName === "DEL" && (node.hasAttribute("datetime") || node.hasAttribute("cite"))) ||
      node.matches(BESIDE) || styles.get("mso-element") === "comment-list";
    if (isRevision) hasRevisions = true;
    const isHidden = styles.get("display") === "none" || styles.get("mso-hide") === "all" || node.hasAttribute("hidden");
    if (isRevision || isHidden || LEFT.has(node.tagName)) node.remove();
  }
  for (const line of body.querySelectorAll("hr, br")) {
    if (line.parentElement && styleOf(line.parentElement).get("mso-element") === "footnote-list") line.remove();
  }
  // A list directly in a list, as Google Docs and Outlook have it, belongs to the entry above.
  for (const inner of body.querySelectorAll(":is(ul, ol) > :is(ul, ol)")) {
    if (inner.previousElementSibling?.tagName === "LI") inner.previousElementSibling.append(inner);
  }
  for (const caption of body.querySelectorAll("table > caption")) caption.parentElement.before(caption);
  return hasRevisions;
}

// ---- lists, which Word and WPS copy as paragraphs with a mark before them ----

// How deep a paragraph stands in a list, from 1; null for one that stands in none.
function levelOf(block) {
  if (block.tagName !== "P" && block.tagName !== "DIV") return null;
  const found = /level(\d)/.exec(styleOf(block).get("mso-list") ?? "");
  return found ? Number(found[1]) : null;
}

// The mark that Word set before an entry: its element, its words, and whether it is a dot or the like.
function markOf(block) {
  const element = [...block.querySelectorAll("span")].find((one) => /^ignore/.test(styleOf(one).get("mso-list") ?? ""));
  if (!element) return null;
  const words = element.textContent.replace(/[\s\u00a0]+/g, "");
  let isBullet = !/[\p{L}\p{N}]/u.test(words);
  for (let node = element; node !== block && !isBullet; node = node.parentElement) {
    isBullet = BULLET_FONT.test(styleOf(node).get("font-family") ?? "");
  }
  return { element, words, isBullet };
}

// Marks as words, dots as dots: what a text that is read line by line needs.
export function spellMarks(body) {
  for (const block of body.querySelectorAll("p, div, h1, h2, h3, h4, h5, h6")) {
    const mark = markOf(block);
    // 一、 and （一） leave room by themselves.
    if (mark) mark.element.replaceWith(mark.isBullet ? "• " : /[、）．]$/.test(mark.words) ? mark.words : `${mark.words} `);
  }
}

// Such paragraphs as lists, one in the other.
export function arrangeLists(body) {
  for (const block of [...body.querySelectorAll("p, div")]) {
    if (!block.isConnected || levelOf(block) === null || countedMark(block) === null) continue;
    const run = [block];
    for (let next = block.nextElementSibling; next && countedMark(next) !== null; next = next.nextElementSibling) run.push(next);
    arrange(run);
  }
  spellMarks(body);
}

// The mark of an entry that a list can show; null for any other paragraph.
function countedMark(block) {
  if (levelOf(block) === null) return null;
  const mark = markOf(block);
  return mark && (mark.isBullet || COUNTED.test(mark.words)) ? mark : null;
}

function arrange(run) {
  const open = [];
  const place = document.createComment("");
  run[0].before(place);
  for (const block of run) {
    const level = levelOf(block);
    const mark = countedMark(block);
    const tag = mark.isBullet ? "UL" : "OL";
    while (open.length && open.at(-1).level > level) open.pop();
    // Another kind of mark on the same level is another list.
    if (open.length && open.at(-1).level === level && open.at(-1).list.tagName !== tag) open.pop();
    if (!open.length || open.at(-1).level < level) {
      const list = place.ownerDocument.createElement(tag);
      const number = Number(COUNTED.exec(mark.words)?.[1] ?? 1);
      if (tag === "OL" && number > 1) list.start = number;
      if (open.length) open.at(-1).list.lastElementChild.append(list);
      else place.before(list);
      open.push({ level, list });
    }
    mark.element.remove();
    const entry = place.ownerDocument.createElement("li");
    entry.append(block);
    open.at(-1).list.append(entry);
  }
  place.remove();
}
