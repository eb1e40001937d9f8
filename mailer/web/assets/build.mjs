// Builds mailer/web/static: every src/*.js and src/*.css is an entry point, and the icons named in src/icons.txt
// become one sprite. Nothing is loaded from elsewhere at run time.
import { build } from "esbuild";
import { readFile, writeFile, readdir, mkdir, rm, copyFile } from "node:fs/promises";
import { createHash } from "node:crypto";

const out = "../static";
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const sources = (await readdir("src")).filter((name) => /\.(js|css)$/.test(name)).map((name) => `src/${name}`);
await build({
  entryPoints: sources,
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020", "chrome100", "firefox100", "safari15"],
  loader: { ".svg": "dataurl" },
  legalComments: "linked",
  logLevel: "warning",
});

const names = (await readFile("src/icons.txt", "utf8")).split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
const symbols = [];
for (const name of names) {
  const svg = await readFile(`node_modules/@tabler/icons/icons/outline/${name}.svg`, "utf8");
  const inner = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
  symbols.push(`<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${inner}</symbol>`);
}
await writeFile(`${out}/icons.svg`, `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
await copyFile("src/favicon.svg", `${out}/favicon.svg`);

// A short hash of each file goes into its address, so that a browser may keep it for good.
const manifest = {};
for (const name of await readdir(out)) {
  manifest[name] = createHash("sha256").update(await readFile(`${out}/${name}`)).digest("hex").slice(0, 12);
}
await writeFile(`${out}/manifest.json`, JSON.stringify(manifest, null, 1) + "\n");
