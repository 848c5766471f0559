// Conformance cases: each is written once and run four ways (worlds.ts).
//   conform("S24 a full queue times a poll out", async ({ client, server }) => { ... });
// The first word of the title is the rule or the call that the case is about. A case that cannot have the
// same outcome in some way yet says why, in a sentence that stands in docs/CAVEATS.md:
//   conform("N1 ...", body, { except: { threads: ABROAD } });
// What is registered also makes docs/CONFORMANCE.md (conformance-document.ts).

import { afterAll, test } from "@jest/globals";
import { Ground, SEED, WAYS, type Way, type World } from "./worlds.ts";

export type Exceptions = Readonly<Partial<Record<Way, string>>>;

export interface ConformanceCase {
  readonly title: string;
  readonly except: Exceptions;
}

/** Run excepted ways too, to see whether their reasons still hold. */
const RUN_ALL = process.env.CONFORMANCE_ALL !== undefined;

/** While it is set, cases are listed here and not run. */
let listing: ConformanceCase[] | null = null;

/** The machine in threads serves all cases of a file, until one of them fails. */
let threads: Ground | null = null;

export const conform = (
  title: string,
  body: (world: World) => Promise<void>,
  { except = {} }: { readonly except?: Exceptions } = {},
): void => {
  if (listing !== null) {
    listing.push({ title, except });
    return;
  }
  for (const way of WAYS) {
    const reason = except[way];
    if (reason === undefined || RUN_ALL)
      test(`conformance: ${title} (${way})`, () => run(way, body));
    else test.skip(`conformance: ${title} (${way}): ${reason}`, () => {});
  }
  haltAtEnd();
};

const run = async (way: Way, body: (world: World) => Promise<void>): Promise<void> => {
  const ground = way === "threads" && threads !== null ? threads : await Ground.make(way);
  if (way === "threads") threads = ground;
  let good = false;
  try {
    await ground.host(body);
    good = true;
  } catch (error) {
    if (error instanceof Error && way !== "threads") error.message += `\n(seed ${SEED})`;
    throw error;
  } finally {
    if (way !== "threads" || !good) {
      if (way === "threads") threads = null;
      await ground.halt();
    }
  }
};

let haltsAtEnd = false;

const haltAtEnd = (): void => {
  if (haltsAtEnd) return;
  haltsAtEnd = true;
  afterAll(async () => {
    await threads?.halt();
  });
};

/** The cases that a test file registers; it is loaded, but nothing runs. */
export const listCases = async (load: () => Promise<unknown>): Promise<ConformanceCase[]> => {
  const cases: ConformanceCase[] = [];
  listing = cases;
  try {
    await load();
  } finally {
    listing = null;
  }
  return cases;
};
