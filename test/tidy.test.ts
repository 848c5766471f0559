// The house rules of test/support/tidy.ts: each one on made-up files, then all of them on the real tree.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { checkNames } from "./support/doc-names.ts";
import {
  checkAmbient,
  checkDeadFiles,
  checkDefaultExports,
  checkFirstLine,
  checkLayoutTags,
  checkMarkdownLinks,
  checkMarkdownTitles,
  checkRanks,
  checkReminders,
  checkSleeps,
  checkTypes,
  type SourceFile,
} from "./support/tidy.ts";

const file = (path: string, ...lines: string[]): SourceFile => ({ path, text: lines.join("\n") });
const importing = (path: string, ...specifiers: string[]): SourceFile =>
  file(path, ...specifiers.map((specifier) => `import { x } from "${specifier}";`));

describe("rule", () => {
  test("ranks: lower folders, the own folder and packages may be imported", () => {
    const fine = importing("src/ipc/port.ts", "../base/assert.ts", "./space.ts", "node:fs", "zod");
    expect(checkRanks([fine])).toEqual([]);
  });

  test("ranks: a higher folder may not be imported, not even for a type", () => {
    const wrong = file("src/ipc/port.ts", "", 'import type { Proxy } from "../norma/proxy.ts";');
    expect(checkRanks([wrong])).toEqual([
      "src/ipc/port.ts:2: src/ipc (rank 3) does not import from src/norma (rank 4)",
    ]);
  });

  test("ranks: machine, sim and comparators are strangers to each other", () => {
    expect(checkRanks([importing("src/machine/boot.ts", "../sim/driver.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/sim/driver.ts", "../machine/boot.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/machine/boot.ts", "../comparators/nx.ts")])).toHaveLength(1);
  });

  test("ranks: a folder that is not in the table is reported", () => {
    expect(checkRanks([importing("src/misc/a.ts", "../base/assert.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/ipc/a.ts", "../misc/a.ts")])).toHaveLength(1);
  });

  test("ranks: the index is imported by the command line only, and imports neither it nor comparators", () => {
    expect(checkRanks([importing("src/cli/main.ts", "../index.ts")])).toEqual([]);
    expect(checkRanks([importing("src/index.ts", "./machine/boot.ts", "./sim/a.ts")])).toEqual([]);
    expect(checkRanks([importing("src/machine/boot.ts", "../index.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/index.ts", "./cli/main.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/index.ts", "./comparators/nx.ts")])).toHaveLength(1);
  });

  test("ranks: of src/ only the command line loads bench/, and nobody imports a worker", () => {
    expect(checkRanks([importing("src/cli/bench.ts", "../../bench/suites/rpc.ts")])).toEqual([]);
    expect(checkRanks([importing("src/sim/a.ts", "../../bench/suites/rpc.ts")])).toHaveLength(1);
    expect(checkRanks([importing("src/machine/a.ts", "../../workers/node.ts")])).toHaveLength(1);
    expect(checkRanks([importing("bench/suites/rpc.ts", "../../workers/node.ts")])).toHaveLength(1);
  });

  test("ranks: workers and benchmarks import all of src/ but the command line", () => {
    const paths = ["../src/node/kernel.ts", "../src/comparators/nx.ts", "../src/index.ts"];
    expect(checkRanks([importing("workers/node.ts", ...paths)])).toEqual([]);
    expect(checkRanks([importing("workers/node.ts", "../src/cli/main.ts")])).toHaveLength(1);
    expect(checkRanks([importing("bench/rpc.ts", "../src/cli/main.ts")])).toHaveLength(1);
  });

  test("ranks: an example uses the public API, a test uses anything", () => {
    expect(checkRanks([importing("examples/ping.ts", "../src/index.ts")])).toEqual([]);
    expect(checkRanks([importing("examples/ping.ts", "../src/ipc/port.ts")])).toHaveLength(1);
    expect(checkRanks([importing("test/ipc/port.test.ts", "../../src/cli/main.ts")])).toEqual([]);
  });

  test("ambient world: time, timers, randomness, process and threads are reported below the host", () => {
    const wrong = file(
      "src/vm/pager.ts",
      'import { threadId } from "node:worker_threads";',
      "const a = Date.now() + performance.now();",
      "setTimeout(f, 1); globalThis.setImmediate(f);",
      "const b = Math.random(); process.exit(1);",
      "Atomics.wait(words, 0, 0); Atomics.notify(words, 0); Atomics.waitAsync(words, 0, 0);",
    );
    const names = checkAmbient([wrong]).map((line) => line.split(" ")[1]);
    expect(names.sort()).toEqual([
      "Atomics.notify",
      "Atomics.wait",
      "Atomics.wait",
      "Date",
      "Math.random",
      "node:worker_threads",
      "performance",
      "process",
      "setImmediate",
      "setTimeout",
    ]);
    expect(checkAmbient([file("src/machine/boot.ts", "process.exit(Date.now());")])).toEqual([]);
  });

  test("ambient world: comments, strings, properties and keys are something else", () => {
    const fine = file(
      "src/vm/pager.ts",
      "// Date and process and setTimeout, Math.random()",
      'const a = "process.exit"; const b = `Date ${task.process} ${update}`;',
      "const c: { performance: number; process?: string } = { performance: 1 };",
      "const updateDate = processes; Atomics.load(words, 0);",
    );
    expect(checkAmbient([fine])).toEqual([]);
  });

  test("ambient world: promises are for tasks and nodes", () => {
    const text = "async function f(): Promise<void> { await g(); h().then(k); }";
    expect(checkAmbient([file("src/ipc/port.ts", text)])).toHaveLength(4);
    expect(checkAmbient([file("src/task/task.ts", text)])).toEqual([]);
    expect(checkAmbient([file("src/node/kernel.ts", text)])).toEqual([]);
  });

  test("ambient world: only the doorbell waits, only the tick source reads time", () => {
    const doorbell = file("src/hardware/doorbell.ts", "async () => Atomics.wait(w, 0, 0);");
    expect(checkAmbient([doorbell])).toEqual([]);
    expect(checkAmbient([file("src/hardware/doorbell.ts", "Date.now();")])).toHaveLength(1);
    expect(checkAmbient([file("src/hardware/tick-source.ts", "performance.now();")])).toEqual([]);
    const other = file("src/hardware/router.ts", "Atomics.notify(w, 0); performance.now();");
    expect(checkAmbient([other])).toHaveLength(2);
  });

  test("dead files: a file must be reached from an entry point, a worker or a benchmark", () => {
    const files = [
      importing("src/index.ts", "./machine/boot.ts"),
      file("src/machine/boot.ts", 'new URL("../machine/program.js", import.meta.url);'),
      file("src/machine/program.ts"),
      importing("workers/node.ts", "../src/node/kernel.ts"),
      file("src/node/kernel.ts"),
      file("src/hardware/webassembly.d.ts"),
    ];
    expect(checkDeadFiles(files)).toEqual([]);
  });

  test("dead files: tests and other dead files do not keep a file alive", () => {
    const files = [
      importing("test/vm/a.test.ts", "../../src/vm/a.ts"),
      importing("src/vm/a.ts", "./b.ts"),
      importing("src/vm/b.ts", "./a.ts"),
    ];
    expect(checkDeadFiles(files)).toEqual([
      "src/vm/a.ts:1: nothing but tests reaches this file",
      "src/vm/b.ts:1: nothing but tests reaches this file",
    ]);
  });

  test("layouts: a word without a writer tag is reported", () => {
    const layout = file(
      "src/hardware/ring-layout.ts",
      "export const RING_TAIL = 0; // u32 [P] words ever published",
      "export const RING_HEAD: number = RING_TAIL + 16; // u32 words ever consumed",
      "export const RING_DATA = 32;",
    );
    expect(checkLayoutTags([layout])).toEqual([
      "src/hardware/ring-layout.ts:2: RING_HEAD has no writer tag such as [P] in its comment",
      "src/hardware/ring-layout.ts:3: RING_DATA has no writer tag such as [P] in its comment",
    ]);
  });

  test("layouts: sizes, sentinels, functions, tables and other files need no tag", () => {
    const layout = file(
      "src/hardware/ring-layout.ts",
      "export const RING_HEADER_WORDS = 32;",
      "export const FRAME_SHIFT = 12;",
      "export const frameOwner = (words: Int32Array, base: number): number => words[base]!;",
      'export const RING_FIELDS = ["tail", "head"];',
      "export const RING_CLOSED = -1;",
      "export const RING_STATE = 3; // u32 [=] after boot",
      "export const RING_TURN = 4; // u32 [x] by RING_STATE",
    );
    const other = file("src/hardware/ring.ts", "export const RING_TAIL = 0;");
    expect(checkLayoutTags([layout, other])).toEqual([]);
  });

  test("reminders: what is left to do has a reason", () => {
    const source = file(
      "src/vm/a.ts",
      "// TODO later",
      "// TODO (needs the pager): write it",
      "// FIXME: (wrong for page size 1024)",
      'const a = "TODO";',
      "/* XXX */",
    );
    expect(checkReminders([source])).toEqual([
      "src/vm/a.ts:1: TODO without its reason in parentheses",
      "src/vm/a.ts:5: XXX without its reason in parentheses",
    ]);
    expect(checkReminders([file("docs/a.md", "`TODO` is a word", "FIXME soon")])).toEqual([
      "docs/a.md:2: FIXME without its reason in parentheses",
    ]);
  });

  test("default exports: programs have one, nothing else does", () => {
    const text = "export default async function program() {}";
    expect(checkDefaultExports([file("src/vm/a.ts", text)])).toEqual([
      "src/vm/a.ts:1: default export",
    ]);
    const listed = file("workers/a.ts", "export { a as default };", "export { default as b };");
    expect(checkDefaultExports([listed])).toEqual(["workers/a.ts:1: default export"]);
    const programs = ["examples/a.ts", "bench/programs/a.ts", "test/stress/programs/a.ts"];
    expect(checkDefaultExports(programs.map((path) => file(path, text)))).toEqual([]);
  });

  test("types: enum and any are reported", () => {
    const source = file(
      "src/vm/a.ts",
      "export const enum State { idle }",
      "let a: any; let b = c as any; let d: Map<string, any[]>;",
      "let e: Array<any>; type F = () => any;",
    );
    expect(checkTypes([source]).map((line) => line.split(" ")[1])).toEqual([
      "enum:",
      "any:",
      "any:",
      "any:",
      "any:",
      "any:",
    ]);
  });

  test("types: the words enum and any elsewhere are not reported", () => {
    const source = file(
      "src/vm/a.ts",
      "// any enum { at all }: any",
      'const a = { any: 1, enum: 2 }; await Promise.any([b, "as any"]); z.enum(["a"]);',
      "let many: company;",
    );
    expect(checkTypes([source])).toEqual([]);
  });

  test("first lines: a file says first what it is for", () => {
    const fine = [
      file("src/vm/a.ts", "// Frames of physical memory."),
      file("src/vm/b.ts", "/**", " * Frames of physical memory.", " */"),
      file("src/cli/main.ts", "#!/usr/bin/env node", "// The normacube command."),
    ];
    expect(checkFirstLine(fine)).toEqual([]);
    const wrong = [
      file("src/vm/a.ts", 'import { a } from "./a.ts";', "// Frames of physical memory."),
      file("src/vm/b.ts", "// Frames"),
      file("src/vm/c.ts", '/// <reference lib="dom" />'),
      file("src/vm/d.ts", ""),
    ];
    expect(checkFirstLine(wrong)).toHaveLength(4);
  });

  test("sleeps: a test that lets time pass says why", () => {
    const source = file(
      "test/node/a.test.ts",
      "setTimeout(done, 10);",
      "setTimeout(done, 10); // the retransmission timer has to run out",
      "jest.setTimeout(60_000);",
      "// no setTimeout here",
    );
    expect(checkSleeps([source])).toEqual([
      "test/node/a.test.ts:1: setTimeout without a comment that says why time must pass",
    ]);
    expect(checkSleeps([file("test/support/a.ts", "setTimeout(done, 10);")])).toEqual([]);
  });

  test("titles: a document has exactly one, and code does not count", () => {
    const fine = file("docs/a.md", "# Title", "## Part", "```sh", "# comment", "```", "    # code");
    expect(checkMarkdownTitles([fine])).toEqual([]);
    expect(checkMarkdownTitles([file("docs/a.md", "text")])).toHaveLength(1);
    expect(checkMarkdownTitles([file("docs/a.md", "# One", "", "# Two")])).toEqual([
      'docs/a.md:3: 2 titles ("# …"), where a document has one',
    ]);
  });

  test("links: a relative link leads to something that exists", () => {
    const exists = (path: string): boolean => ["docs", "docs/b.md", "src/index.ts"].includes(path);
    const fine = file(
      "docs/a.md",
      "[b](b.md#part) [index](../src/index.ts) [folder](../docs/) [part](#part)",
      "[web](https://example.org/x) `[code](nowhere.md)`",
      "",
      "    [code](nowhere.md)",
      "",
      "[ref]: b.md",
    );
    expect(checkMarkdownLinks([fine], exists)).toEqual([]);
    const wrong = file("docs/a.md", "", "[c](c.md) ![picture](../../x.svg)", "", "[ref]: d.md");
    expect(checkMarkdownLinks([wrong], exists)).toEqual([
      "docs/a.md:2: the link to c.md leads nowhere",
      "docs/a.md:2: the link to ../../x.svg leads nowhere",
      "docs/a.md:4: the link to d.md leads nowhere",
    ]);
  });

  test("names: what a document names by its name in the code is there", () => {
    const code = [
      file("src/ipc/port.ts", "export class Port { get isDead() { return false; } }"),
      file("src/vm/page.ts", "export const takePage = () => 4096;"),
    ];
    const exists = (path: string): boolean => code.some((source) => source.path === path);
    const check = (...lines: string[]) => checkNames([file("docs/a.md", ...lines)], code, exists);
    const fine = [
      "`Port`, `Port.isDead`, `takePage()` (src/vm/page.ts, dist/src/ipc/port.js); `any ${code}`",
      "",
      "```js",
      "const other = `nothing`;",
      "```",
    ];
    expect(check(...fine)).toEqual([]);
    expect(check("`Port` and `Proxy`", "`Port.takePage`, `dropPage()`", "src/vm/map.ts")).toEqual([
      "docs/a.md:3: there is no src/vm/map.ts",
      "docs/a.md:1: there is no Proxy in the code",
      "docs/a.md:2: there is no Port.takePage in the code",
      "docs/a.md:2: there is no dropPage() in the code",
    ]);
  });
});

describe("tree", () => {
  // This file runs from dist/test, and the sources are two levels up.
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const SKIPPED_FOLDERS = ["node_modules", "dist", "coverage", ".git"];

  const read = (path: string): string => readFileSync(join(root, path), "utf8");

  const readTree = (folder: string, extension: string): SourceFile[] => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = relative(root, join(root, folder, entry.name));
      if (entry.isDirectory()) {
        return SKIPPED_FOLDERS.includes(entry.name) ? [] : readTree(path, extension);
      }
      if (!entry.name.endsWith(extension)) return [];
      return [{ path: path.split(sep).join("/"), text: read(path) }];
    });
  };

  const product = ["src", "workers", "bench"].flatMap((folder) => readTree(folder, ".ts"));
  const sources = [...product, ...["test", "examples"].flatMap((name) => readTree(name, ".ts"))];
  const documents = readTree("", ".md");

  test("tree: there is something to check", () => {
    expect(product.length).toBeGreaterThan(0);
    expect(documents.length).toBeGreaterThan(0);
  });

  test("tree: ranks", () => expect(checkRanks(sources)).toEqual([]));
  test("tree: ambient world", () => expect(checkAmbient(product)).toEqual([]));
  test("tree: dead files", () => expect(checkDeadFiles(product)).toEqual([]));
  test("tree: layouts", () => expect(checkLayoutTags(product)).toEqual([]));
  test("tree: reminders", () => expect(checkReminders([...sources, ...documents])).toEqual([]));
  test("tree: default exports", () => expect(checkDefaultExports(sources)).toEqual([]));
  test("tree: types", () => expect(checkTypes(sources)).toEqual([]));
  test("tree: first lines", () => expect(checkFirstLine(product)).toEqual([]));
  test("tree: sleeps", () => expect(checkSleeps(sources)).toEqual([]));
  test("tree: titles", () => expect(checkMarkdownTitles(documents)).toEqual([]));
  test("tree: a thread that runs programs loads comlink, and no other package", () => {
    // Compiled, where imports of types are gone. A dynamic import is loaded by whoever needs it.
    const reached = new Set(["dist/workers/processor.js", "dist/src/index.js"]);
    const packages = new Set<string>();
    for (const path of reached) {
      for (const [, specifier] of read(path).matchAll(
        /^(?:import|export)\b[^;]*? from "(.+?)"/gm,
      )) {
        if (specifier!.startsWith(".")) reached.add(posix.join(posix.dirname(path), specifier!));
        else if (!specifier!.startsWith("node:")) packages.add(specifier!);
      }
    }
    expect(reached.size).toBeGreaterThan(100);
    expect([...packages]).toEqual(["comlink"]);
  });
  test("tree: names", () => {
    const exists = (path: string): boolean => existsSync(join(root, path));
    const settings = ["package.json", "tsconfig.json"].map((path) => file(path, read(path)));
    expect(checkNames(documents, [...sources, ...settings], exists)).toEqual([]);
  });
  test("tree: links", () => {
    expect(checkMarkdownLinks(documents, (path) => existsSync(join(root, path)))).toEqual([]);
  });
});
