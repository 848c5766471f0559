// One station of the ring: takes the token from the node before it and passes it on.
// Returns what the token holds at the end (at node 0), or 0.

import { COPY_SEND, Message, type Program } from "normacube";

/** The i-th node of the ring; neighbours in the ring are neighbours in the cube. */
const gray = (i: number): number => i ^ (i >> 1);

const station: Program<{ rounds: number }, number> = async (task, { rounds }) => {
  const port = task.ports.allocate();
  await task.names.checkIn("station", port);
  let place = 0;
  while (gray(place) !== task.node) place += 1;
  const next = gray((place + 1) % task.nodes);

  const token = new Message(4);
  const nextPort = await task.names.lookUp("station", { host: next, waitNs: 10e9 });
  const passOn = async (sum: number): Promise<void> => {
    token.remote = nextPort;
    token.remoteDisposition = COPY_SEND;
    token.localDisposition = 0;
    token.local = 0;
    token.size = 4;
    token.words[0] = sum;
    await task.send(token);
  };

  const starts = task.node === 0;
  if (starts) await passOn(0);
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    await task.receive(port, { into: token });
    sum = token.words[0]! + task.node;
    const last = round === rounds - 1;
    if (!(starts && last)) await passOn(sum);
  }
  return starts ? sum : 0;
};

export default station;
