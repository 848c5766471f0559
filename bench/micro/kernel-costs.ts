// What the kernel's and the interface's steps cost one thread by itself: no cache line crosses cores.

import { PACKET_INLINE, PACKET_PAGE, setPacketRoute } from "../../src/hardware/packet-layout.ts";
import type { MicroCase } from "./micro-case.ts";
import { TwoNodes } from "./two-nodes.ts";

const OPERATIONS = 64;
const PAGE_BYTES = 4096;

export const KERNEL_COSTS: readonly MicroCase[] = [
  {
    name: "ring",
    sentence: "one packet of 64 inline bytes: circuit, DMA, receive ring, armed again",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { client, server } = new TwoNodes(seed);
      const message = client.ipc.pool.takeToSend(64);
      if (message === null) throw new Error("no message");
      const { words } = client.memory;
      setPacketRoute(words, message.at, 0, 1);
      words[message.at + PACKET_INLINE] = 64;
      words[message.at + PACKET_PAGE] = 0;
      return () => {
        let seen = 0;
        for (let i = 0; i < OPERATIONS; i++) {
          client.network.transmit(message.at);
          const at = server.network.poll();
          seen += at;
          server.network.arm(server.memory.words[at + 1]!);
        }
        return seen;
      };
    },
  },
  {
    name: "port-look-up",
    sentence: "a task's name to its entry, with generation check",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { clientSpace, destination } = new TwoNodes(seed);
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) sum += clientSpace.find(destination);
        return sum;
      };
    },
  },
  {
    name: "translate",
    sentence: "a network identifier to its proxy, and a proxy to its identifier",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { client, proxy } = new TwoNodes(seed);
      const { identifiers } = client;
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) {
          const port = identifiers.portOf(proxy.identifier);
          if (port !== null) sum += identifiers.identifierOf(port);
        }
        return sum;
      };
    },
  },
  {
    name: "copyin",
    sentence: "a message of 64 bytes with destination and reply right into the kernel, and undone",
    operations: OPERATIONS,
    prepare: (seed) => {
      const nodes = new TwoNodes(seed);
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) {
          const message = nodes.copyinRequest();
          sum += message.size;
          nodes.undo(message);
        }
        return sum;
      };
    },
  },
  {
    name: "step-idle",
    sentence: "one step of a kernel that has nothing to do",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { client } = new TwoNodes(seed);
      return () => {
        let work = 0;
        for (let i = 0; i < OPERATIONS; i++) work += client.step();
        return work;
      };
    },
  },
  {
    name: "page-dma",
    sentence: "a page of 4 KiB from one node's memory to another's by the DMA engine",
    operations: OPERATIONS,
    prepare: (seed) => {
      const { board, client, server } = new TwoNodes(seed);
      const from = client.memory.regionByte + client.memory.frameWord(4) * 4;
      const to = server.memory.regionByte + server.memory.frameWord(4) * 4;
      return () => {
        for (let i = 0; i < OPERATIONS; i++) board.dma.copy(to, from, PAGE_BYTES);
        return server.memory.words[server.memory.frameWord(4)]!;
      };
    },
  },
  {
    name: "rpc-one-thread",
    sentence: "a whole Mach RPC of 64 bytes, both nodes stepped by one thread",
    operations: OPERATIONS,
    prepare: (seed) => {
      const nodes = new TwoNodes(seed);
      return () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) sum += nodes.rpc(i);
        return sum;
      };
    },
  },
];
