// Bugs planted in the protocol are found by seeds of the simulator, within a dozen of them; without a bug the same seeds are good.

import { afterEach, describe, expect, test } from "@jest/globals";
import { PACKET_LINK } from "../../src/hardware/packet-layout.ts";
import { PacketReceiver } from "../../src/norma/packet-receiver.ts";
import { PacketSender } from "../../src/norma/packet-sender.ts";
import { PEER_OPEN, PEER_STOPPED } from "../../src/norma/peer.ts";
import { WIRE_SEQUENCE } from "../../src/norma/wire-layout.ts";
import { planOfSeed } from "../../src/stress/plan-of-seed.ts";
import { simulatePlan } from "../../src/stress/simulate-plan.ts";
import type { Verdict } from "../../src/stress/stress-result.ts";

const SEEDS = 12;

/** Short runs on four nodes that lose, repeat and refuse packets. */
const verdictOf = async (seed: number): Promise<Verdict> => {
  const plan = planOfSeed(seed, {
    workloads: ["all-to-all", "rpc"],
    dimension: 2,
    steps: 12,
    interconnect: "direct-connect",
    faults: {
      drop: 0.05,
      duplicate: 0.05,
      delay: 0.05,
      starve: [{ forNs: 30e3, everyNs: 100e3, chance: 0.5 }],
    },
  });
  return (await simulatePlan({ ...plan, stuckAfterNs: 60e6 })).verdict;
};

/** The verdict of the first seed that is not good, or good. */
const firstBad = async (): Promise<Verdict> => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const verdict = await verdictOf(seed);
    if (verdict !== "good") return verdict;
  }
  return "good";
};

const receiver = PacketReceiver.prototype;
const sender = PacketSender.prototype;
const sound = {
  data: receiver.data,
  buffersAvailable: receiver.buffersAvailable,
  nacked: sender.nacked,
  quench: sender.quench,
};
const mend = (): void => {
  const { data, buffersAvailable, nacked, quench } = sound;
  Object.assign(receiver, { data, buffersAvailable });
  Object.assign(sender, { nacked, quench });
};

describe("planted", () => {
  afterEach(mend);

  test("planted: nothing: all seeds are good", async () => {
    expect(await firstBad()).toBe("good");
  });

  test("planted: a packet is acknowledged before it is stored", async () => {
    receiver.data = function (this: PacketReceiver, peer, at) {
      const frame = sound.data.call(this, peer, at);
      if (peer.state === PEER_STOPPED) {
        peer.received = (peer.received + 1) | 0;
        peer.ackOwed += 1;
        peer.state = PEER_OPEN;
      }
      return frame;
    };
    expect(await firstBad()).not.toBe("good");
  });

  test("planted: the NACK that is owed is forgotten", async () => {
    receiver.buffersAvailable = function (this: PacketReceiver) {
      const { stopped } = this as unknown as { stopped: { inStopped: boolean }[] };
      for (const peer of stopped) peer.inStopped = false;
      stopped.length = 0;
    };
    expect(await firstBad()).not.toBe("good");
  });

  test("planted: the packet received last is taken once more", async () => {
    receiver.data = function (this: PacketReceiver, peer, at) {
      const { words } = this as unknown as { words: Int32Array };
      if (words[at + WIRE_SEQUENCE] === peer.received && peer.received > 0) peer.received -= 1;
      return sound.data.call(this, peer, at);
    };
    expect(await firstBad()).not.toBe("good");
  });

  test("planted: a go-back begins behind the packet that is missing", async () => {
    sender.nacked = function (this: PacketSender, peer, ack, refused) {
      sound.nacked.call(this, peer, ack, refused);
      const { words } = this as unknown as { words: Int32Array };
      if (peer.cursor === peer.first && peer.first !== peer.last) {
        peer.cursor = words[peer.first + PACKET_LINK]!;
      }
    };
    expect(await firstBad()).not.toBe("good");
  });
});
