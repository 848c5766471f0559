// At the end of a run everything is drained and accounted for (I-11): each node has what it had before. What stays on
// purpose: proxies of living ports (docs/CAVEATS.md), whose rights are nobody's.

import type { NodeCensus } from "../node/census.ts";
import type { Machine } from "../node/machine-interface.ts";

/** What each node must have back, and what it is called. */
const ACCOUNTED: Readonly<Partial<Record<keyof NodeCensus, string>>> = {
  framesFree: "free frames",
  framesArmed: "armed frames",
  framesInMessages: "frames in messages",
  framesOnWire: "frames on the wire",
  busyFrames: "busy pages",
  messagesFree: "free messages",
  ports: "ports",
  sendRights: "send rights",
  sendOnceRights: "send-once rights",
  queuedMessages: "queued messages",
  unacknowledged: "unacknowledged packets",
  names: "names checked in",
  deadIdentifiers: "identifiers of dead ports",
};

export const takeCensuses = async (machine: Machine): Promise<NodeCensus[]> => {
  const censuses: NodeCensus[] = [];
  for (let node = 0; node < machine.nodes; node++) censuses.push(await machine.census(node));
  return censuses;
};

/** What is not as it was, a sentence each. */
export const compareCensuses = (
  before: readonly NodeCensus[],
  after: readonly NodeCensus[],
): string[] =>
  after.flatMap((census, node) =>
    Object.entries(ACCOUNTED)
      .filter(([key]) => census[key as keyof NodeCensus] !== before[node]![key as keyof NodeCensus])
      .map(([key, what]) => {
        const was = before[node]![key as keyof NodeCensus];
        return `node ${node}: ${what}: ${census[key as keyof NodeCensus]}, were ${was}`;
      }),
  );
