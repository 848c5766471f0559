// What counts as code and what as comment, on made-up sources.

import { expect, test } from "@jest/globals";
import { importsOf, moduleUrlsOf, splitSource } from "./source-text.ts";

const codeOf = (text: string): string => splitSource(text).code.replace(/ +/g, " ");
const commentsOf = (text: string): string => splitSource(text).comments.trim();

test("source-text: views keep length and line breaks", () => {
  const text = 'a; // one\n/* two\n */ "three\\"" `four\n${five}` /six/g;\n';
  const { code, comments } = splitSource(text);
  expect(code).toHaveLength(text.length);
  expect(comments).toHaveLength(text.length);
  expect(code.split("\n")).toHaveLength(text.split("\n").length);
});

test("source-text: comments leave the code and strings keep their quotes", () => {
  expect(codeOf("let a = 'Date'; // Date")).toBe("let a = ' '; ");
  expect(codeOf('let a = "it\\"s // no comment";')).toBe('let a = " ";');
  expect(codeOf("let a = 1 /* Date */ + 2;")).toBe("let a = 1 + 2;");
});

test("source-text: what a template literal evaluates is code, at any depth", () => {
  expect(codeOf("`Date ${now({ a: `x ${deep} y` })} end`; next")).toBe(
    "` ${now({ a: ` ${deep} ` })} `; next",
  );
});

test("source-text: a regular expression is not a comment, and a division is not one of the two", () => {
  expect(codeOf("const r = /[/]\\/* Date/u; next")).toBe("const r = / /u; next");
  expect(codeOf("return /Date/.test(x)")).toBe("return / /.test(x)");
  expect(codeOf("a / b; c(d) / e // Date")).toBe("a / b; c(d) / e ");
});

test("source-text: an unterminated literal ends with its line or with the text", () => {
  expect(codeOf("'abc\nnext")).toBe("' \nnext");
  expect(codeOf("`abc\n")).toBe("` \n");
  expect(codeOf('"')).toBe('"');
  expect(codeOf("/* abc")).toBe(" ");
});

test("source-text: comments are seen where they are", () => {
  expect(commentsOf('a("// not one"); // one')).toBe("// one");
  expect(commentsOf("a; /* one */ b;")).toBe("/* one */");
});

test("source-text: imports of all forms are found, and those in comments and strings are not", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "./b.ts";',
    'import "./c.ts";',
    'export * from "./d.ts";',
    'const e = await import("./e.ts");',
    "import {\n  f,\n} from './f.ts';",
    '// import { g } from "./g.ts";',
    "const h = 'import \"./h.ts\"';",
  ].join("\n");
  expect(importsOf(text).map(({ specifier }) => specifier)).toEqual([
    "./a.ts",
    "./b.ts",
    "./c.ts",
    "./d.ts",
    "./e.ts",
    "./f.ts",
  ]);
  expect(importsOf(text)[5]).toEqual({ specifier: "./f.ts", line: 8 });
});

test("source-text: module addresses relative to a module are found", () => {
  const text = 'new Worker(new URL("../workers/a.js", import.meta.url)); new URL("b", base);';
  expect(moduleUrlsOf(text)).toEqual([{ specifier: "../workers/a.js", line: 1 }]);
});
