// Bundles configurable-http-proxy with all it imports into pmh_jupyter/hub/proxy/, so that a wheel can carry it and Node alone runs it.
//
// The proxy reads its version from ../package.json and its error pages from ./error, both relative to the running file: hence the
// layout below. It is an ES module whose CommonJS dependencies call `require` and `__dirname`, which a module does not have: hence
// the banner.
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "node_modules", "configurable-http-proxy");
const target = join(here, "..", "pmh_jupyter", "hub", "proxy");

const banner = `
import { createRequire as pmhCreateRequire } from "node:module";
import { fileURLToPath as pmhFileURLToPath } from "node:url";
const require = pmhCreateRequire(import.meta.url);
const __dirname = pmhFileURLToPath(new URL(".", import.meta.url));
`.trim();

async function bundle() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [join(source, "bin", "configurable-http-proxy")],
    loader: { "": "js" },
    outfile: join(target, "bin", "configurable-http-proxy.mjs"),
    banner: { js: banner },
    bundle: true,
    format: "esm",
    legalComments: "none",
    metafile: true,
    minify: true,
    platform: "node",
    target: "node20",
  });
  return Object.keys(result.metafile.inputs);
}

// The licenses of everything in the bundle ask for their text to go along with it.
async function readLicenses(inputs) {
  const packages = new Set(inputs.map(path => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = await Promise.all([...packages].sort().map(readLicense));
  return texts.join("\n");
}

async function readLicense(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  const file = (await readdir(join(here, folder))).find(entry => /^licen[cs]e/i.test(entry));
  const text = file ? await readFile(join(here, folder, file), "utf8") : "";
  return `${name} ${version} (${license})\n\n${text}\n${"-".repeat(80)}\n`;
}

await rm(target, { recursive: true, force: true });
await mkdir(join(target, "bin"), { recursive: true });
const inputs = await bundle();
const { name, version, license } = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
await writeFile(join(target, "package.json"), JSON.stringify({ name, version, license, type: "module" }, null, 2) + "\n");
await cp(join(source, "lib", "error"), join(target, "bin", "error"), { recursive: true });
await writeFile(join(target, "LICENSES.txt"), await readLicenses(inputs));
