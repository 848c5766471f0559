// The workloads by name: where their programs are, and what each is for.

export interface Workload {
  readonly url: URL;
  /** Programs on each node, unless a plan says otherwise. */
  readonly programsPerNode: number;
  /** A step takes as long as so many of workload rpc. */
  readonly stepCost: number;
  /** What a step is, for people. */
  readonly sentence: string;
}

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  [
    "rpc",
    {
      url: new URL("./workloads/rpc.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 1,
      sentence: "calls to servers on other nodes, requests and replies up to several pages",
    },
  ],
  [
    "pages",
    {
      url: new URL("./workloads/pages.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 8,
      sentence: "memory of 1 to 64 pages out of line, stored to right after the send",
    },
  ],
  [
    "mixed",
    {
      url: new URL("./workloads/mixed.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 1,
      sentence: "messages of any size with any rights, in line and out of line",
    },
  ],
  [
    "all-to-all",
    {
      url: new URL("./workloads/all-to-all.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 4,
      sentence: "a message to every other place",
    },
  ],
  [
    "hot-spot",
    {
      url: new URL("./workloads/hot-spot.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 1,
      sentence: "messages to one place whose queue is short",
    },
  ],
  [
    "migration",
    {
      url: new URL("./workloads/migration.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 1,
      sentence: "letters to receive rights that wander",
    },
  ],
  [
    "allocate-and-die",
    {
      url: new URL("./workloads/allocate-and-die.js", import.meta.url),
      programsPerNode: 1,
      stepCost: 4,
      sentence: "tasks that end with everything unread, and who is told",
    },
  ],
  [
    "file-server",
    {
      url: new URL("./workloads/file-server.js", import.meta.url),
      programsPerNode: 2,
      stepCost: 1,
      sentence: "open, read, write and close of files on a server",
    },
  ],
]);
