// The options of a machine: one schema gives their types, defaults, ranges and error messages.
// parseMachineOptions() turns what a host wrote into a complete, checked MachineOptions, or throws an
// OptionError that names the option and what is allowed. Nothing else in the tree has defaults.

import * as z from "zod";
import { NS_PER_MS, NS_PER_US } from "../base/clock.ts";
import {
  DIMENSION_MAX,
  DIMENSION_THREADS_MAX,
  MACHINE_BYTES_MAX,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  SPACE_ENTRIES_MAX,
} from "../base/limits.ts";
import { isPowerOfTwo } from "../base/words.ts";

/** Host misuse: a machine option that is unknown, or outside its range. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

const powerOfTwo = (min: number, max: number) =>
  z
    .number()
    .int()
    .min(min)
    .max(max)
    .refine(isPowerOfTwo, { error: `must be a power of two from ${min} to ${max}` });

const probability = z.number().min(0).max(1);

/** A probability; or every n-th packet; or the one packet with a number (fault-wrapper.ts). */
const rate = z.union([
  probability,
  z.strictObject({ every: z.number().int().min(1) }),
  z.strictObject({ once: z.number().int().min(1) }),
]);

const faultRates = {
  /** A packet is lost. */
  drop: rate.optional(),
  /** A packet arrives twice. */
  duplicate: rate.optional(),
  /** A packet is held back, so that later ones overtake it. */
  delay: rate.optional(),
  /** Shortest and longest time it is held back, ns. */
  delayNs: z.tuple([z.number().min(0), z.number().min(0)]).optional(),
  /** One bit of a packet is flipped. */
  flip: rate.optional(),
};

const node = z.number().int().min(0);

const schema = z.strictObject({
  /** Dimension of the hypercube: 2^dimension nodes. 0 to 7 in threads, to 10 in simulation. */
  dimension: z.number().int().min(0).max(DIMENSION_MAX).default(3),
  /** From which all randomness of the machine derives. */
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  memory: z
    .strictObject({
      /** Page size. */
      pageBytes: powerOfTwo(PAGE_BYTES_MIN, PAGE_BYTES_MAX).default(4096),
      /** Memory of each node, kernel structures included; the iPSC/2 had 4 MiB. */
      bytesPerNode: z.number().int().min(131_072).max(MACHINE_BYTES_MAX).default(4_194_304),
      /** What it is made of: a shared WebAssembly.Memory where it can be had, or plain. */
      kind: z.enum(["auto", "wasm", "shared-array-buffer"]).default("auto"),
      /** Fill freed frames with a pattern. */
      poison: z.boolean().default(false),
    })
    .prefault({}),
  interconnect: z
    .strictObject({
      kind: z.enum(["direct-connect", "store-and-forward"]).default("direct-connect"),
      /** Receive descriptors armed per node; 1 is the iPSC/2. */
      ringLength: powerOfTwo(1, 1024).default(16),
      /** Packets that fit in one channel of store-and-forward. */
      channelSlots: powerOfTwo(1, 64).default(4),
      /** Modelled latency of a packet (per hop in store-and-forward), ns; 0 = as fast as it goes. */
      latencyNs: z.number().min(0).max(1e10).default(0),
      /** Modelled bandwidth of a channel; 0 = as fast as it goes. 2.8e6 is the iPSC/2. */
      bytesPerSecond: z.number().min(0).max(1e12).default(0),
    })
    .prefault({}),
  transport: z
    .strictObject({
      /** Unacknowledged packets per destination; 1 is the paper's. */
      windowPackets: z.number().int().min(1).max(1024).default(8),
      /** How long an acknowledgement waits for a packet to ride on, ns. */
      ackDelayNs: z
        .number()
        .min(0)
        .max(1e9)
        .default(20 * NS_PER_US),
      /** Timeouts and checksums; default: as the faults require. */
      unreliable: z.boolean().optional(),
      /** Retransmission timeout: first, least, greatest, ns. */
      timeoutInitialNs: z
        .number()
        .min(1000)
        .max(1e10)
        .default(1 * NS_PER_MS),
      timeoutMinNs: z
        .number()
        .min(1000)
        .max(1e10)
        .default(100 * NS_PER_US),
      timeoutMaxNs: z
        .number()
        .min(1000)
        .max(1e10)
        .default(50 * NS_PER_MS),
    })
    .prefault({}),
  kernel: z
    .strictObject({
      /** Messages that can be in a node's kernel at once, each with its packet buffer. */
      messages: z.number().int().min(8).max(65_536).default(256),
      /** How many of them senders leave to arrivals, and arrivals to senders; default a quarter. */
      receiveReserve: z.number().int().min(1).optional(),
      /** Names that a task may have. */
      namesPerTask: z.number().int().min(16).max(SPACE_ENTRIES_MAX).default(SPACE_ENTRIES_MAX),
    })
    .prefault({}),
  processors: z
    .strictObject({
      /** Worker threads; default: one per node up to four more than there are cores, else one per core. */
      workers: z.number().int().min(1).max(128).optional(),
      /** What a worker does when its nodes have nothing to do. */
      idle: z.enum(["adaptive", "spin", "yield", "park"]).default("adaptive"),
      /** How long it looks around before it parks, ns. */
      spinNs: z
        .number()
        .min(0)
        .max(1e10)
        .default(50 * NS_PER_US),
    })
    .prefault({}),
  /** Faults of the interconnect; absent: it is reliable. */
  faults: z
    .strictObject({
      /** Default: the machine's seed. */
      seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
      ...faultRates,
      /** Rates of single links, over those for all. */
      links: z.array(z.strictObject({ from: node, to: node, ...faultRates })).optional(),
    })
    .optional(),
  trace: z
    .strictObject({
      /** Packets remembered per node; 0 = no tracing. */
      entries: z.number().int().min(0).max(65_536).default(0),
    })
    .prefault({}),
  host: z
    .strictObject({
      /** How long halt() lets programs end before their worker is terminated, ms. */
      haltMs: z.number().int().min(0).max(600_000).default(2000),
      /** How long the boot may take, ms. */
      bootMs: z.number().int().min(1).max(600_000).default(60_000),
    })
    .prefault({}),
});

/** What a host may write: everything is optional. */
export type MachineOptionsInput = z.input<typeof schema>;
/** The same, complete and checked. */
export type MachineOptions = z.output<typeof schema>;
export type FaultOptions = NonNullable<MachineOptions["faults"]>;

/** Checks and completes options. Throws OptionError. */
export const parseMachineOptions = (
  input: MachineOptionsInput,
  driver: "threads" | "simulation",
): MachineOptions => {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (!parsed.success) throw new OptionError(parsed.error.issues.map(describeIssue).join("; "));
  const options = parsed.data;
  const dimensionMax = driver === "threads" ? DIMENSION_THREADS_MAX : DIMENSION_MAX;
  if (options.dimension > dimensionMax) {
    throw new OptionError(
      `option dimension is ${options.dimension}; it must be 0 to ${dimensionMax} in ${driver}`,
    );
  }
  checkTogether(options);
  return options;
};

/** Ranges that depend on other options. */
const checkTogether = (options: MachineOptions): void => {
  const { memory, kernel, processors, transport, faults } = options;
  const nodes = 2 ** options.dimension;
  if (memory.bytesPerNode % memory.pageBytes !== 0) {
    throw new OptionError(
      `option memory.bytesPerNode is ${memory.bytesPerNode}; it must be a multiple of ` +
        `memory.pageBytes, ${memory.pageBytes}`,
    );
  }
  if (nodes * memory.bytesPerNode > MACHINE_BYTES_MAX - memory.pageBytes * 16) {
    throw new OptionError(
      `option memory.bytesPerNode is ${memory.bytesPerNode}; ${nodes} nodes of it make more than ` +
        `the 4 GiB that one shared memory can have`,
    );
  }
  if (kernel.receiveReserve !== undefined && kernel.receiveReserve > kernel.messages / 2) {
    throw new OptionError(
      `option kernel.receiveReserve is ${kernel.receiveReserve}; it must be 1 to half of ` +
        `kernel.messages, ${kernel.messages / 2}`,
    );
  }
  if (processors.workers !== undefined && processors.workers > nodes) {
    throw new OptionError(
      `option processors.workers is ${processors.workers}; it must be 1 to the number of nodes, ${nodes}`,
    );
  }
  if (transport.timeoutMinNs > transport.timeoutMaxNs) {
    throw new OptionError(
      `option transport.timeoutMinNs is ${transport.timeoutMinNs}; it must be at most ` +
        `transport.timeoutMaxNs, ${transport.timeoutMaxNs}`,
    );
  }
  if (faults !== undefined && transport.unreliable === false) {
    throw new OptionError(
      "option transport.unreliable is false; with faults the network is unreliable, leave it out",
    );
  }
  for (const [i, link] of (faults?.links ?? []).entries()) {
    if (link.from >= nodes || link.to >= nodes) {
      throw new OptionError(
        `option faults.links.${i} is ${link.from} to ${link.to}; nodes are 0 to ${nodes - 1}`,
      );
    }
  }
};

const describeIssue = (issue: z.core.$ZodIssue): string => {
  const path = issue.path.join(".");
  const option = path === "" ? "options" : `option ${path}`;
  const given = "input" in issue && issue.input !== undefined ? ` is ${show(issue.input)}` : "";
  switch (issue.code) {
    case "unrecognized_keys": {
      const keys = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`));
      return `unknown option ${keys.join(", ")}`;
    }
    case "too_big":
      return `${option}${given}; it must be at most ${issue.maximum}`;
    case "too_small":
      return `${option}${given}; it must be at least ${issue.minimum}`;
    case "invalid_value":
      return `${option}${given}; it must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return `${option}${given}; it must be ${issue.expected === "int" ? "an integer" : issue.expected}`;
    default:
      return `${option}${given}; ${issue.message}`;
  }
};

const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
};
