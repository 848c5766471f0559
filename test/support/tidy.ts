// The house rules that a machine can check, one pure function each: files in, violations out. They are applied to the
// real tree by test/tidy.test.ts. Lengths are not among them; a reader judges those.

import { posix } from "node:path";
import { importsOf, lineAt, moduleUrlsOf, splitSource } from "./source-text.ts";

/** A file of the project; the path is relative to the project's root and uses slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** "path:line: what is wrong", in the manner of a compiler. */
export type Violation = string;

/** A file may import from folders of lower rank and from its own. Folders of equal rank are strangers. */
export const FOLDER_RANKS: Readonly<Record<string, number>> = {
  base: 0,
  hardware: 1,
  vm: 2,
  ipc: 3,
  mig: 4,
  norma: 4,
  config: 5,
  task: 5,
  node: 6,
  machine: 7,
  sim: 7,
  comparators: 7,
  stress: 8,
  cli: 9,
};

/** From this rank up the outside world exists: time, timers, threads, the process. */
export const HOST_RANK = 7;

/** Files below HOST_RANK that may touch the world, and which part of it. */
export const AMBIENT_EXEMPTIONS: Readonly<Record<string, readonly string[]>> = {
  "src/hardware/tick-source.ts": ["performance", "process", "Date", "node:perf_hooks"],
  "src/node/microtasks.ts": ["node:process"],
  "src/hardware/doorbell.ts": ["Atomics.wait", "Atomics.notify", "async", "await", "Promise"],
};

/** Folders below HOST_RANK where promises are part of the job: programs are async functions. */
export const PROMISE_FOLDERS: readonly string[] = ["task", "node"];

/** Files of src/ that are started from outside and need no importer. */
export const ENTRY_POINTS: readonly string[] = [
  "src/index.ts",
  "src/stress/index.ts",
  "src/cli/main.ts",
];

const AMBIENT_NAMES = [
  "Date",
  "performance",
  "process",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
];
const AMBIENT_MODULES = [
  "node:worker_threads",
  "node:perf_hooks",
  "node:process",
  "node:timers",
  "node:timers/promises",
];
/** Not a property of something else, unless that something is globalThis; a spread's dots do not count. */
const FREE = String.raw`(?<![\w$])(?<!(?<!\bglobalThis|\.\.)\.)`;
/** Not the name of a property in an object or in a type. */
const NOT_A_KEY = String.raw`\b(?!\s*\??:)`;
const AMBIENT = new RegExp(`${FREE}(${AMBIENT_NAMES.join("|")})${NOT_A_KEY}`, "g");
const AMBIENT_MEMBER = /\b(Math\.random|Atomics\.(?:wait|notify))(?:Async)?\b/g;
const PROMISE = new RegExp(
  `${FREE}(async|await|Promise|PromiseLike)${NOT_A_KEY}|\\.(then)\\s*\\(`,
  "g",
);

/** Ranks: who may import whom. Imports of types count like all others. */
export function checkRanks(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    for (const { specifier, line } of importsOf(file.text)) {
      if (!specifier.startsWith(".")) continue;
      const reason = whyNotImport(file.path, resolveModule(file.path, specifier));
      if (reason !== undefined) found.push(`${file.path}:${line}: ${reason}`);
    }
  }
  return found;
}

/** The ambient world: below HOST_RANK, time, randomness, threads and promises are arguments. */
export function checkAmbient(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    const folder = sourceFolder(file.path);
    if (folder === undefined || !(rankOf(folder) < HOST_RANK)) continue;
    const exempt = AMBIENT_EXEMPTIONS[file.path] ?? [];
    const report = (name: string, line: number): void => {
      if (exempt.includes(name)) return;
      found.push(
        `${file.path}:${line}: ${name} is the ambient world; src/${folder} gets it as an argument`,
      );
    };
    const { code } = splitSource(file.text);
    for (const match of code.matchAll(AMBIENT)) report(match[1]!, lineAt(code, match.index));
    for (const match of code.matchAll(AMBIENT_MEMBER)) report(match[1]!, lineAt(code, match.index));
    if (!PROMISE_FOLDERS.includes(folder)) {
      for (const match of code.matchAll(PROMISE)) {
        report(match[1] ?? match[2]!, lineAt(code, match.index));
      }
    }
    for (const { specifier, line } of importsOf(file.text)) {
      if (AMBIENT_MODULES.includes(specifier)) report(specifier, line);
    }
  }
  return found;
}

/** Dead files: every file of src/ is reached from an entry point, a worker or a benchmark. Tests do not count. */
export function checkDeadFiles(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const isRoot = (path: string): boolean =>
    ENTRY_POINTS.includes(path) || path.startsWith("workers/") || path.startsWith("bench/");
  const reached = new Set([...byPath.keys()].filter(isRoot));
  // A set's iteration visits what is added during it, so this walks the whole graph.
  for (const path of reached) {
    const file = byPath.get(path)!;
    for (const { specifier } of [...importsOf(file.text), ...moduleUrlsOf(file.text)]) {
      const target = resolveModule(path, specifier);
      if (specifier.startsWith(".") && byPath.has(target)) reached.add(target);
    }
  }
  return files
    .filter(({ path }) => path.startsWith("src/") && !path.endsWith(".d.ts") && !reached.has(path))
    .map(({ path }) => `${path}:1: nothing but tests reaches this file`);
}

const LAYOUT_CONSTANT = /^export const ([A-Z][A-Z0-9_]*)\b[^=]*=\s*(.*)$/;
/** Tables, texts and objects; and a negative number is a value that a word may have, never a place. */
const NOT_A_PLACE = /^(?:[[{"'`-]|new\b|Object\b)/;
const SIZE_NAME = /_(?:WORDS|BYTES|MAX|SHIFT|MASK|COUNT|ALIGN)$/;
const WRITER_TAG = /\[(?:[A-Z]{1,2}|=|x)\]/;

/** Layouts: a constant that places a word in shared memory says on its line who writes that word. */
export function checkLayoutTags(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    if (!file.path.endsWith("-layout.ts")) continue;
    const { code, comments } = splitSource(file.text);
    const commentLines = comments.split("\n");
    for (const [index, line] of code.split("\n").entries()) {
      const match = LAYOUT_CONSTANT.exec(line);
      if (match === null || NOT_A_PLACE.test(match[2]!) || SIZE_NAME.test(match[1]!)) continue;
      if (WRITER_TAG.test(commentLines[index]!)) continue;
      found.push(
        `${file.path}:${index + 1}: ${match[1]} has no writer tag such as [P] in its comment`,
      );
    }
  }
  return found;
}

const REMINDER = /\b(TODO|FIXME|XXX)\b(?!:?\s*\([^)\n]*\w)/g;

/** Reminders: what is left to do is written with its reason, as TODO (why it is not done). */
export function checkReminders(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const text = isMarkdown(file.path) ? withoutCode(file.text) : splitSource(file.text).comments;
    return matches(
      file.path,
      text,
      REMINDER,
      (name) => `${name} without its reason in parentheses`,
    );
  });
}

const PROGRAM_FOLDER =
  /^(?:examples\/|bench\/programs\/|src\/stress\/workloads\/|test\/(?:.*\/)?programs\/)/;
const DEFAULT_EXPORT = /\bexport\s+(default)\b|\bexport\s*\{[^}]*\b(default)\b(?!\s+as\b)/g;

/** Default exports belong to programs, which a task loads by address; everything else is named. */
export function checkDefaultExports(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => !PROGRAM_FOLDER.test(path))
    .flatMap((file) =>
      matches(file.path, splitSource(file.text).code, DEFAULT_EXPORT, () => "default export"),
    );
}

const ENUM = /(?<![\w$.])(enum)\s+[\w$]+\s*\{/g;
const ANY = /(?:[:<|&,=]\s*|=>\s*|\b(?:as|extends)\s+)(any)\b(?!\s*[:(.=])/g;

/** Types vanish and code stays (no enum), and types mean something (no any). */
export function checkTypes(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const { code } = splitSource(file.text);
    return [
      ...matches(file.path, code, ENUM, () => "enum: use constants and a union type"),
      ...matches(file.path, code, ANY, () => "any: say what it is, or unknown"),
    ];
  });
}

/** First lines: a source file starts with a comment that says what it is for. */
export function checkFirstLine(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const { path, text } of files) {
    const body = text.replace(/^#!.*\n/, "");
    const comment = /^(?:\/\/.*|\/\*[\s\S]*?\*\/)/.exec(body)?.[0] ?? "";
    const words = comment.match(/[A-Za-z]{2,}/g) ?? [];
    const isDirective = /^\/\/\/?\s*(?:<|@ts-|biome-)/.test(comment);
    if (words.length >= 3 && !isDirective) continue;
    found.push(`${path}:1: the first line is not a comment that says what the file is for`);
  }
  return found;
}

const SLEEP = new RegExp(`${FREE}(setTimeout|setInterval)${NOT_A_KEY}`, "g");

/** Sleeps: a test waits for an event. Where it must wait for time to pass, its line says why. */
export function checkSleeps(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    if (!file.path.startsWith("test/") || file.path.startsWith("test/support/")) continue;
    const { code, comments } = splitSource(file.text);
    const commentLines = comments.split("\n");
    for (const match of code.matchAll(SLEEP)) {
      const line = lineAt(code, match.index);
      if (/\w/.test(commentLines[line - 1]!)) continue;
      found.push(
        `${file.path}:${line}: ${match[1]} without a comment that says why time must pass`,
      );
    }
  }
  return found;
}

/** Titles: a document has one `# ` title. */
export function checkMarkdownTitles(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const { path, text } of files) {
    const titles = [...withoutFences(text).matchAll(/^# \S/gm)];
    if (titles.length === 1) continue;
    const line = titles.length > 1 ? lineAt(text, titles[1]!.index) : 1;
    found.push(`${path}:${line}: ${titles.length} titles ("# …"), where a document has one`);
  }
  return found;
}

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s+<?([^\s>]+)/gm;

/** Links: a relative link in a document leads to a file or a folder that exists. */
export function checkMarkdownLinks(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): Violation[] {
  const found: Violation[] = [];
  for (const { path, text } of files) {
    const prose = withoutCode(text);
    for (const match of prose.matchAll(LINK)) {
      const target = (match[1] ?? match[2]!).replace(/[#?].*$/, "");
      if (target === "" || /^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const resolved = posix.normalize(posix.join(posix.dirname(path), decodeURI(target)));
      if (resolved.startsWith("../") || !exists(resolved.replace(/\/$/, ""))) {
        found.push(`${path}:${lineAt(prose, match.index)}: the link to ${target} leads nowhere`);
      }
    }
  }
  return found;
}

function whyNotImport(from: string, to: string): string | undefined {
  const top = from.split("/")[0]!;
  const targetTop = to.split("/")[0]!;
  if (top === "test" || (top === targetTop && top !== "src")) return undefined;
  if (targetTop === "src") return whyNotImportSource(from, to);
  if (targetTop === "bench" && sourceFolder(from) === "cli") return undefined;
  if (targetTop === "bench" && top === "src") return `only src/cli loads bench/, not ${from}`;
  return `${top}/ does not import from ${targetTop}/ (${to})`;
}

function whyNotImportSource(from: string, to: string): string | undefined {
  const top = from.split("/")[0]!;
  const target = sourceFolder(to);
  if (top === "examples") {
    return to === "src/index.ts" ? undefined : `an example uses the public API, not ${to}`;
  }
  if (top !== "src") return target === "cli" ? `${top}/ does not import from src/cli` : undefined;

  const folder = sourceFolder(from);
  if (folder === undefined) {
    const isHidden = target === "cli" || target === "comparators";
    return isHidden ? `${from} does not import from src/${target}` : undefined;
  }
  if (!(folder in FOLDER_RANKS)) return `src/${folder} is not in the table of ranks`;
  if (folder === target) return undefined;
  if (target === undefined) {
    return folder === "cli" ? undefined : `src/${folder} does not import ${to}, which is above it`;
  }
  if (!(target in FOLDER_RANKS)) return `src/${target} is not in the table of ranks`;
  if (rankOf(target) < rankOf(folder)) return undefined;
  return `src/${folder} (rank ${rankOf(folder)}) does not import from src/${target} (rank ${rankOf(target)})`;
}

const rankOf = (folder: string): number => FOLDER_RANKS[folder] ?? Number.NaN;

/** "ipc" for src/ipc/port.ts; undefined for src/index.ts and for what is not below src/. */
function sourceFolder(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** The source file that a relative specifier means; worker addresses name the compiled .js of the same place. */
function resolveModule(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier)).replace(/\.js$/, ".ts");
}

function matches(
  path: string,
  text: string,
  pattern: RegExp,
  sentence: (name: string) => string,
): Violation[] {
  return [...text.matchAll(pattern)].map((match) => {
    const name = match.slice(1).find((group) => group !== undefined)!;
    const at = match.index + match[0].lastIndexOf(name);
    return `${path}:${lineAt(text, at)}: ${sentence(name)}`;
  });
}

const isMarkdown = (path: string): boolean => path.endsWith(".md");

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** The document with its fenced code blocks blanked; positions stay. */
export function withoutFences(text: string): string {
  return text.replace(
    /^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\1[^\n]*$|(?![\s\S]))/gm,
    blank,
  );
}

/** The document with all code blanked: fenced, indented after an empty line, and inline. */
function withoutCode(text: string): string {
  return withoutFences(text)
    .replace(/(?<=^|\n[ \t]*\n)(?:(?: {4}|\t)[^\n]*(?:\n|$))+/g, blank)
    .replace(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, blank);
}
