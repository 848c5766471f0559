// The options of a machine: one schema gives their types, defaults, ranges and error messages.
// parseMachineOptions() turns what a host wrote into a complete, checked MachineOptions, or throws an
// OptionError that names the option and what is allowed. Nothing else in the tree has defaults.

import * as z from "zod";
import { NS_PER_MS, NS_PER_S, NS_PER_US } from "../base/clock.ts";
import {
  DEVICE_NAME_MAX,
  DIMENSION_MAX,
  DIMENSION_THREADS_MAX,
  DISK_BYTES_MAX,
  DISK_RECORD_BYTES,
  FRAMES_MAX,
  MACHINE_BYTES_MAX,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  SPACE_ENTRIES_MAX,
  SWAP_BYTES_MAX,
} from "../base/limits.ts";
import { INTERCONNECT_KINDS } from "../hardware/make-interconnect.ts";
import { TRANSFER_KINDS } from "../ipc/make-transfer.ts";
import { checkFaults, faultSchema } from "./fault-options.ts";
import {
  aSeed,
  describeIssues,
  integer,
  NS_MAX,
  powerOfTwo,
  ranged,
  real,
  shortText,
  show,
} from "./fields.ts";
import { OptionError } from "./option-error.ts";

const DIMENSION_RANGE =
  `it must be an integer from 0 to ${DIMENSION_THREADS_MAX}, ` +
  `or to ${DIMENSION_MAX} in simulation`;

const aNode = integer(0, 2 ** DIMENSION_MAX - 1);
const aDeviceName = shortText(DEVICE_NAME_MAX);
const TOKEN_PAUSE_RANGE = `it must be a number from 0 to ${NS_MAX}, or "manual"`;
const tokenPause = z.union([ranged(0, NS_MAX, TOKEN_PAUSE_RANGE), z.literal("manual")], {
  error: TOKEN_PAUSE_RANGE,
});

const schema = z.strictObject({
  /** Dimension of the hypercube: 2^dimension nodes. 0 to 7 in threads, to 10 in simulation. */
  dimension: ranged(0, DIMENSION_MAX, DIMENSION_RANGE).int({ error: DIMENSION_RANGE }).default(3),
  /** From which all randomness of the machine derives. */
  seed: aSeed.default(1),
  memory: z
    .strictObject({
      /** Page size. */
      pageBytes: powerOfTwo(PAGE_BYTES_MIN, PAGE_BYTES_MAX).default(4096),
      /** Memory of each node, kernel structures included; the iPSC/2 had 4 MiB. */
      bytesPerNode: integer(131_072, MACHINE_BYTES_MAX).default(4_194_304),
      /** What it is made of: a shared WebAssembly.Memory where it can be had, or plain. */
      kind: z.enum(["auto", "wasm", "shared-array-buffer"]).default("auto"),
      /** Fill freed frames with a pattern. */
      poison: z.boolean().default(false),
      /** Room for pages of each node in the machine's swap file; 0 = none, and memory is all there is. */
      swapBytes: integer(0, SWAP_BYTES_MAX).default(67_108_864),
      /** Free frames that only arrivals may take; default: as ring and window require. */
      reserveFrames: integer(0, FRAMES_MAX).optional(),
      /** Free frames below which pages are written to the swap file, and up to which. */
      pageoutLowFrames: integer(0, FRAMES_MAX).optional(),
      pageoutHighFrames: integer(0, FRAMES_MAX).optional(),
    })
    .prefault({}),
  interconnect: z
    .strictObject({
      kind: z.enum(INTERCONNECT_KINDS).default("direct-connect"),
      /** Receive descriptors armed per node; 1 is the iPSC/2. */
      ringLength: powerOfTwo(1, 1024).default(16),
      /** Packets that fit in one channel of store-and-forward. */
      channelSlots: powerOfTwo(1, 64).default(4),
      /** Packets that a node can put together at once from the frames of an ethernet, one per source. */
      reassemblies: integer(1, 64).default(8),
      /** Modelled latency of a packet (per hop in store-and-forward), ns; 0 = as fast as it goes. */
      latencyNs: real(0, NS_MAX).default(0),
      /** Modelled bandwidth of a channel, a cable, a ring; 0 = as fast as it goes. 2.8e6 is the iPSC/2, 1.25e6 an
       *  ethernet. */
      bytesPerSecond: real(0, 1e12).default(0),
    })
    .prefault({}),
  transport: z
    .strictObject({
      /** Unacknowledged packets per destination; 1 is the paper's. */
      windowPackets: integer(1, 1024).default(8),
      /** How long an acknowledgement waits for a packet to ride on, ns. */
      ackDelayNs: real(0, 1e9).default(20 * NS_PER_US),
      /** Timeouts and checksums; default: as the interconnect and the faults require. */
      unreliable: z.boolean().optional(),
      /** Timeout period, after two of which without an acknowledgement it is asked for: first, least, longest, ns. */
      timeoutInitialNs: real(1000, NS_MAX).default(200 * NS_PER_US),
      timeoutMinNs: real(1000, NS_MAX).default(10 * NS_PER_US),
      timeoutMaxNs: real(1000, NS_MAX).default(50 * NS_PER_MS),
    })
    .prefault({}),
  kernel: z
    .strictObject({
      /** Messages that can be in a node's kernel at once, each with its packet buffer. */
      messages: integer(8, 65_536).default(256),
      /** How many of them senders leave to arrivals, and arrivals to senders; default a quarter. */
      receiveReserve: integer(1, 32_768).optional(),
      /** How out-of-line data travels: by page list (paper 2.3.2), or one of what that is compared with. */
      transfer: z.enum(TRANSFER_KINDS).default("page-list"),
      /** What keeps a sender off pages that are on their way, unless the send says otherwise. */
      protection: z.enum(["busy", "hold"]).default("busy"),
      /** Names that a task may have. */
      namesPerTask: integer(16, SPACE_ENTRIES_MAX).default(SPACE_ENTRIES_MAX),
      /** Rights between tasks of one node lead through a proxy and the network; for tests. */
      loopback: z.boolean().default(false),
      /** Pause of the token between two periods, ns. It rests while no node has anything for it. "manual": it goes
       *  round only when the host calls runTokenPeriods(). */
      tokenPauseNs: tokenPause.default(2 * NS_PER_S),
    })
    .prefault({}),
  processors: z
    .strictObject({
      /** Worker threads; default: one per node up to four more than there are cores, else one per core. */
      workers: integer(1, 128).optional(),
      /** What a worker does when its nodes have nothing to do. */
      idle: z.enum(["adaptive", "spin", "yield", "park"]).default("adaptive"),
      /** How long it looks around before it parks, ns. */
      spinNs: real(0, NS_MAX).default(200 * NS_PER_US),
    })
    .prefault({}),
  /** Faults of the interconnect (fault-options.ts); absent: there are none. */
  faults: faultSchema.optional(),
  /** Disks of nodes, for device_open. */
  devices: z
    .array(
      z.strictObject({
        node: aNode,
        /** What device_open calls it; no two disks of one node have the same. */
        name: aDeviceName,
        /** The file that it is made of, relative to the current directory. */
        path: z.string({ error: "it must be the path of a file" }).optional(),
        /** Or: the size of a temporary file, zero when the machine boots and gone when it halts. */
        bytes: integer(DISK_RECORD_BYTES, DISK_BYTES_MAX).optional(),
        /** Nobody may write; always so when the file does not allow it. */
        readOnly: z.boolean().default(false),
      }),
    )
    .default([]),
  trace: z
    .strictObject({
      /** Packets remembered per node; 0 = no tracing. */
      entries: integer(0, 65_536).default(0),
    })
    .prefault({}),
  host: z
    .strictObject({
      /** How long halt() lets programs end before their worker is terminated, ms. */
      haltMs: integer(0, 600_000).default(2000),
      /** How long the boot may take, ms. */
      bootMs: integer(1, 600_000).default(60_000),
    })
    .prefault({}),
});

/** What a host may write: everything is optional. */
export type MachineOptionsInput = z.input<typeof schema>;
/** The same, complete and checked. */
export type MachineOptions = z.output<typeof schema>;
export type DeviceOptions = MachineOptions["devices"][number];

/** Checks and completes options. Throws OptionError. */
export const parseMachineOptions = (
  input: MachineOptionsInput,
  driver: "threads" | "simulation",
): MachineOptions => {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (!parsed.success) {
    throw new OptionError(describeIssues(parsed.error, "option"));
  }
  const options = parsed.data;
  if (driver === "threads" && options.dimension > DIMENSION_THREADS_MAX) {
    throw new OptionError(`option dimension is ${options.dimension}; ${DIMENSION_RANGE}`);
  }
  checkTogether(options);
  return options;
};

/** Throws OptionError unless it is a number of periods that runTokenPeriods() can run. */
export const checkPeriods = (periods: number): void => {
  if (Number.isSafeInteger(periods) && periods > 0) return;
  throw new OptionError(`periods is ${show(periods)}; it must be an integer, 1 or more`);
};

/** Ranges that depend on other options. */
const checkTogether = (options: MachineOptions): void => {
  const { memory, interconnect, kernel, processors, transport, faults } = options;
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
  if (interconnect.kind === "ethernet" && transport.unreliable === false) {
    throw new OptionError(
      "option transport.unreliable is false; an ethernet is unreliable by itself, leave it out",
    );
  }
  checkPageout(memory);
  checkDevices(options.devices, nodes);
  if (faults !== undefined) checkFaults(faults, nodes, "option faults.");
};

const checkPageout = ({ pageoutLowFrames, pageoutHighFrames }: MachineOptions["memory"]): void => {
  if (pageoutLowFrames === undefined || pageoutHighFrames === undefined) return;
  if (pageoutLowFrames <= pageoutHighFrames) return;
  throw new OptionError(
    `option memory.pageoutLowFrames is ${pageoutLowFrames}; it must be at most ` +
      `memory.pageoutHighFrames, ${pageoutHighFrames}`,
  );
};

const checkDevices = (devices: readonly DeviceOptions[], nodes: number): void => {
  const taken = new Set<string>();
  for (const [i, { node, name, path, bytes }] of devices.entries()) {
    const option = `option devices.${i}`;
    if (node >= nodes) {
      throw new OptionError(`${option} is on node ${node}; nodes are 0 to ${nodes - 1}`);
    }
    if ((path === undefined) === (bytes === undefined)) {
      throw new OptionError(`${option} must have either a path or bytes`);
    }
    if (bytes !== undefined && bytes % DISK_RECORD_BYTES !== 0) {
      throw new OptionError(
        `${option}.bytes is ${bytes}; it must be a multiple of ${DISK_RECORD_BYTES}`,
      );
    }
    const where = `${node} ${name}`;
    if (taken.has(where)) {
      throw new OptionError(`${option} is ${show(name)}; node ${node} has a disk of that name`);
    }
    taken.add(where);
  }
};
