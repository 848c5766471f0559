// The version that servers tell is the package's.

import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { VERSION } from "../../src/base/version.ts";

test("version: it is the one of package.json", () => {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  expect(JSON.parse(manifest)).toMatchObject({ version: VERSION });
});
