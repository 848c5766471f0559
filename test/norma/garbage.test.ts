// A node that lies, and noise: packets drawn from a seed, at the interfaces of nodes that go on with their work. What is
// guaranteed then is said in docs/decisions/0035-lying-nodes.md.
//   NORMACUBE_RUNS   packets for each test      NORMACUBE_SEED   the first seed

import { expect, test } from "@jest/globals";
import { PACKET_INLINE, PACKET_PAGE, setPacketRoute } from "../../src/hardware/packet-layout.ts";
import { WIRE_KIND } from "../../src/norma/wire-layout.ts";
import { KIND_CONTROL } from "../../src/norma/wire-values.ts";
import { GarbageWorld } from "../support/garbage-world.ts";

const PACKETS = Number(process.env.NORMACUBE_RUNS ?? 80_000);
const FIRST_SEED = Number(process.env.NORMACUBE_SEED ?? 1);
/** Noise between two looks at the nodes. */
const BURST = 256;
/** Packets of one world, and its seed is the next. */
const WORLD_PACKETS = 10_000;

const eachWorld = async (
  unreliable: boolean,
  run: (world: GarbageWorld, packets: number) => Promise<void>,
): Promise<void> => {
  for (let left = PACKETS, seed = FIRST_SEED; left > 0; left -= WORLD_PACKETS, seed++) {
    try {
      const world = new GarbageWorld(seed, unreliable);
      await world.begin(unreliable);
      await run(world, Math.min(left, WORLD_PACKETS));
      await world.end();
    } catch (error) {
      if (error instanceof Error) error.message += `\n(NORMACUBE_SEED=${seed})`;
      throw error;
    }
  }
};

test("garbage: a peer that lies brings nobody down, and what it does not name comes as it was sent", async () => {
  await eachWorld(false, async (world, packets) => {
    await world.lie(packets);
    expect(world.count("damaged")).toBeGreaterThan(packets / 20);
  });
});

test("garbage: noise on a network that may damage packets is counted and changes nothing", async () => {
  await eachWorld(true, async (world, packets) => {
    const { random } = world;
    const before = world.count("damaged");
    await world.beset(packets, BURST, (to) => {
      const packet = world.lies.noise();
      const { words } = packet;
      // Mostly something that gets past the first looks.
      if (random.below(4) > 0) setPacketRoute(words, 0, random.below(5), to);
      if (random.below(4) > 0) words[PACKET_INLINE] = random.below(193);
      if (random.below(4) > 0) words[PACKET_PAGE] = random.below(4097);
      // With a checksum that is right only from the liar itself: nobody can tell a node from one that has its address.
      if (random.below(8) === 0) {
        words[PACKET_INLINE] = 0;
        words[PACKET_PAGE] = 0;
        if (random.below(2) === 0) words[WIRE_KIND] = random.below(9) & ~KIND_CONTROL;
        setPacketRoute(words, 0, world.peer.node, to);
        world.peer.sendRaw(to, packet, true);
      } else {
        world.peer.sendRaw(to, packet, false);
      }
    });
    const discarded = ["damaged", "outOfOrder", "duplicates"] as const;
    const after = discarded.reduce((sum, name) => sum + world.count(name), 0);
    expect(after - before).toBeGreaterThanOrEqual(packets);
    for (const reason of ["Address", "Source", "Length", "Checksum", "Kind", "Ack"] as const) {
      expect(world.count(`rejected${reason}`)).toBeGreaterThan(0);
    }
  });
});
