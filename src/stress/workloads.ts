// The workloads by name: where their programs are, and what each is for.

export interface Workload {
  readonly url: URL;
  /** Programs on each node, unless a plan says otherwise. */
  readonly programsPerNode: number;
  /** What a step is, for people. */
  readonly sentence: string;
}

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  [
    "rpc",
    {
      url: new URL("./workloads/rpc.js", import.meta.url),
      programsPerNode: 1,
      sentence: "calls to servers on other nodes, requests and replies up to several pages",
    },
  ],
]);
