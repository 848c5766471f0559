// A house rule for documents: what they call by its name in the code is there. Checked are inline code that is a name
// (`copyin`, `Transport.poll`, `takeCensus()`) and paths of files; what a document only describes nobody can check.

import { type SourceFile, type Violation, withoutFences } from "./tidy.ts";

/** Names of Mach, of the original or of the language, which documents say we do without. */
const FOREIGN = new Set(["D_NOWAIT", "TypedArray", "device_map", "norma_node_self"]);

const INLINE_CODE = /(?<!`)`([^`\n]+)`(?!`)/g;
const NAME = /^([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?(?:\(\))?$/;
const FILE = /\.(json|wat|md)$/;
const WORD = /[A-Za-z_$][\w$]*/g;
const DEFINED = /\b(?:class|interface|const|type) ([A-Z]\w*)/g;
const PATH =
  /(?<![\w/.-])(?:dist\/)?((?:src|workers|bench|test|examples|scripts)\/[\w/.-]+\.)(ts|js|mjs|cjs|wat|md)\b/g;

/** Names and paths of code in documents are those of something in the code. */
export function checkNames(
  documents: readonly SourceFile[],
  code: readonly SourceFile[],
  exists: (path: string) => boolean,
): Violation[] {
  const words = new Set(code.flatMap(({ text }) => text.match(WORD) ?? []));
  const homes = homesOf(code);
  const isKnown = (name: string): boolean => words.has(name) || FOREIGN.has(name);
  const found: Violation[] = [];
  for (const { path, text } of documents) {
    const at = (index: number): string => `${path}:${text.slice(0, index).split("\n").length}`;
    for (const { 0: match, 1: source, 2: extension, index } of text.matchAll(PATH)) {
      // Programs are named as they are compiled.
      if (!exists(source! + (extension === "js" ? "ts" : extension))) {
        found.push(`${at(index)}: there is no ${match}`);
      }
    }
    for (const { 1: code, index } of withoutFences(text).matchAll(INLINE_CODE)) {
      const [, name, member] = NAME.exec(code!) ?? [];
      if (name === undefined || FILE.test(code!)) continue;
      const isThere =
        isKnown(name) && (member === undefined || (homes.get(name) ?? isKnown)(member));
      if (!isThere) found.push(`${at(index)}: there is no ${code} in the code`);
    }
  }
  return found;
}

/** Of each class or type that is defined: says whether a word is in one of the files that do. */
function homesOf(code: readonly SourceFile[]): Map<string, (word: string) => boolean> {
  const words = new Map<string, Set<string>>();
  for (const { text } of code) {
    const here = text.match(WORD) ?? [];
    for (const [, name] of text.matchAll(DEFINED)) {
      const known = words.get(name!) ?? new Set();
      for (const word of here) known.add(word);
      words.set(name!, known);
    }
  }
  return new Map([...words].map(([name, known]) => [name, (word: string) => known.has(word)]));
}
