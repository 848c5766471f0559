// docs/CONFORMANCE.md says what the cases say; every exception has its sentence in docs/CAVEATS.md.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { listCases } from "../support/conform.ts";
import { type CaseFile, reasonsOf, renderConformance } from "../support/conformance-document.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const DOCS = join(HERE, "../../../docs");
const CONFORMANCE = join(DOCS, "CONFORMANCE.md");

const files: CaseFile[] = [];
for (const compiled of readdirSync(HERE).sort()) {
  if (!compiled.endsWith(".test.js") || compiled === "document.test.js") continue;
  const cases = await listCases(() => import(`./${compiled}`));
  files.push({ file: compiled.replace(/js$/, "ts"), cases });
}

/** Markdown as one line of words. */
const words = (text: string): string => text.replace(/[\s*`]+/g, " ");

test("conformance: docs/CONFORMANCE.md is what the cases make", () => {
  const made = renderConformance(files);
  if (process.env.CONFORMANCE_WRITE !== undefined) writeFileSync(CONFORMANCE, made);
  expect(readFileSync(CONFORMANCE, "utf8")).toBe(made);
});

test("conformance: the reason of every exception stands in docs/CAVEATS.md", () => {
  const caveats = words(readFileSync(join(DOCS, "CAVEATS.md"), "utf8"));
  const missing = [...reasonsOf(files)].filter((reason) => !caveats.includes(words(reason)));
  expect(missing).toEqual([]);
});

test("conformance: no two cases have one title", () => {
  const titles = files.flatMap(({ cases }) => cases.map(({ title }) => title));
  expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
  expect(titles.length).toBeGreaterThan(100);
});
