// Second half of `npm run build`, after tsc. Compiles every src/**/*.wat to the same place below dist/, copies every
// bench/**/*.c there (a benchmark peer in C is compiled when it is measured), removes what
// earlier builds left in dist/ and whose source is gone (a stale dist/test/x.test.js would still be run), and makes
// the command's entry point executable.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const COMPILED_FOLDERS = ["src", "workers", "bench", "test", "examples"];
const FEATURES = { threads: true, bulk_memory: true, simd: true };

/** All files below `folder`, as paths relative to the project's root, in a stable order. */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** The source that would produce this file of dist/, or undefined if no build step makes such a file. */
function sourceOf(built) {
  const source = relative("dist", built);
  const suffixes = [
    [/\.js(\.map)?$/, ".ts"],
    [/\.d\.ts$/, ".ts"],
    [/\.wasm$/, ".wat"],
    [/\.c$/, ".c"],
  ];
  for (const [pattern, extension] of suffixes) {
    if (pattern.test(source)) return source.replace(pattern, extension);
  }
  return undefined;
}

function removeStale() {
  for (const folder of COMPILED_FOLDERS) {
    for (const built of filesBelow(join(dist, folder))) {
      const source = sourceOf(built);
      if (source !== undefined && existsSync(join(root, source))) continue;
      rmSync(join(root, built), { force: true });
      console.log(`removed ${built.split(sep).join("/")}`);
    }
  }
}

async function compileWat() {
  const sources = filesBelow(join(root, "src")).filter((path) => path.endsWith(".wat"));
  if (sources.length === 0) return;
  const compiler = await wabt();
  for (const path of sources) {
    const target = join(dist, path.replace(/\.wat$/, ".wasm"));
    const parsed = compiler.parseWat(path, readFileSync(join(root, path), "utf8"), FEATURES);
    parsed.validate(FEATURES);
    const { buffer } = parsed.toBinary({ write_debug_names: false });
    parsed.destroy();
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, buffer);
    console.log(
      `${path.split(sep).join("/")} -> ${relative(root, target).split(sep).join("/")} (${buffer.length} bytes)`,
    );
  }
}

function copyC() {
  for (const path of filesBelow(join(root, "bench")).filter((path) => path.endsWith(".c"))) {
    const target = join(dist, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, path), target);
  }
}

removeStale();
copyC();
await compileWat();
const entry = join(dist, "src", "cli", "main.js");
if (existsSync(entry)) chmodSync(entry, 0o755);
