// Builds mailer/web/static: every src/*.js and src/*.css is an entry point, and the icons named in src/icons.txt
// become one sprite. Nothing is loaded from elsewhere at run time.
import { build } from "esbuild";
import { readFile, writeFile, readdir, mkdir, rm, rename, copyFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { brotliCompressSync, gzipSync } from "node:zlib";

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

// Each file's name gets a short hash of its content, so that a browser may keep it for good, and a compressed copy
// beside it: nothing is compressed while a reader waits.
const manifest = {};
for (const name of await readdir(out)) {
  const content = await readFile(`${out}/${name}`);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const hashed = name.replace(/\.(\w+)$/, `.${hash}.$1`);
  await rename(`${out}/${name}`, `${out}/${hashed}`);
  await writeFile(`${out}/${hashed}.gz`, gzipSync(content, { level: 9 }));
  await writeFile(`${out}/${hashed}.br`, brotliCompressSync(content));
  manifest[name] = hashed;
}
await writeFile(`${out}/manifest.json`, JSON.stringify(manifest, null, 1) + "\n");
