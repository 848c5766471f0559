// Where a program's module is: what spawn() accepts, as a URL that import() accepts.

import { pathToFileURL } from "node:url";

/** A URL as it is; any other text is a path, relative to the current directory. */
export const programUrl = (program: string | URL): string => {
  if (typeof program !== "string") return program.href;
  return /^[a-z][a-z+.-]+:/i.test(program) ? program : pathToFileURL(program).href;
};
