// Workload file-server: place 0 keeps files in memory and serves them; clients on every node, several on each, open, read,
// write and close. A file that is open is a port of its own; closing it makes the port die, and its name dead.
//   What a client checks: a block holds what some client has written there, whole; its version never goes back; a
//   version of the client's own holds what the client wrote.
//   What the server checks: every write is the next one of its client.

import { Message } from "../../ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  type PortName,
  RIGHT_RECEIVE,
  TYPE_DEAD_NAME,
} from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { DONE_ID, sendDone, takeDone } from "../done-message.ts";
import {
  type Carrier,
  carrierOf,
  checkPayload,
  Ledger,
  PAYLOAD_BYTES_MIN,
  payloadSender,
} from "../payload.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const OPEN_ID = 2000;
const READ_ID = 2001;
const WRITE_ID = 2002;
const CLOSE_ID = 2003;

const SERVER = 0;
const FILES = 8;
const BLOCKS = 4;
const BLOCK_BYTES_MAX = 6000;
const CHANNEL = 0;
/** Words of a read or write before the block. */
const AT_BLOCK = 0;
const AT_VERSION = 1;
const BLOCK_WORD = 2;

interface Block {
  version: number;
  bytes: number;
  readonly carrier: Carrier;
}

const fileServer: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  if (place.place === SERVER) await Promise.all([new Server(place).run(), useFiles(place)]);
  else await useFiles(place);
  return place.result();
};

class Server {
  private readonly place: Place;
  private readonly heard: Ledger;
  private readonly files: Block[][] = [];
  /** File by the port of one who has it open. */
  private readonly open = new Map<PortName, Block[]>();
  private readonly set: PortName;

  constructor(place: Place) {
    this.place = place;
    this.heard = new Ledger(place.place);
    this.set = place.task.ports.allocate("port-set");
    for (let file = 0; file < FILES; file++) this.files.push([]);
  }

  async run(): Promise<void> {
    const { task } = this.place;
    const { ports } = task;
    const door = ports.allocate();
    ports.moveMember(door, this.set);
    await this.place.publish("door", door);
    const size = BLOCK_BYTES_MAX + BLOCK_WORD * 4;
    const request = new Message(size);
    for (let clients = this.place.places; clients > 0; ) {
      await task.receive(this.set, { into: request });
      if (request.id === DONE_ID) {
        takeDone(request, this.heard, CHANNEL);
        clients -= 1;
        continue;
      }
      const reply = new Message(size).answer(request);
      this.serve(request, reply);
      await task.send(reply);
    }
    if (this.open.size > 0) throw new Error(`${this.open.size} files are open at the end`);
  }

  private serve(request: Message, reply: Message): void {
    const { task } = this.place;
    const { local } = request;
    switch (request.id) {
      case OPEN_ID: {
        const port = task.ports.allocate();
        task.ports.moveMember(port, this.set);
        this.open.set(port, this.files[request.words[0]!]!);
        reply.addRight(port, MAKE_SEND);
        return;
      }
      case READ_ID:
        this.read(this.fileOf(local), request.words[AT_BLOCK]!, reply);
        return;
      case WRITE_ID:
        this.write(this.fileOf(local), request, reply);
        return;
      case CLOSE_ID:
        this.fileOf(local);
        this.open.delete(local);
        task.ports.modRefs(local, RIGHT_RECEIVE, -1); // a client of this very task has a send right
        return;
    }
    throw new Error(`the server was sent message ${request.id}`);
  }

  private fileOf(port: PortName): Block[] {
    const file = this.open.get(port);
    if (file === undefined) throw new Error(`a request came to a file that is not open`);
    return file;
  }

  private read(file: readonly Block[], index: number, reply: Message): void {
    const block = file[index];
    reply.words[AT_BLOCK] = index;
    reply.words[AT_VERSION] = block?.version ?? 0;
    reply.size = BLOCK_WORD * 4 + (block?.bytes ?? 0);
    if (block === undefined) return;
    reply.bytes.set(block.carrier.bytes.subarray(0, block.bytes), BLOCK_WORD * 4);
  }

  private write(file: Block[], request: Message, reply: Message): void {
    const index = request.words[AT_BLOCK]!;
    file[index] ??= { version: 0, bytes: 0, carrier: carrierOf(BLOCK_BYTES_MAX) };
    const block = file[index];
    block.bytes = request.size - BLOCK_WORD * 4;
    block.carrier.bytes.set(request.bytes.subarray(BLOCK_WORD * 4, request.size));
    this.heard.accept(block.carrier, block.bytes, CHANNEL);
    this.place.messageGood();
    block.version += 1;
    reply.words[AT_BLOCK] = index;
    reply.words[AT_VERSION] = block.version;
    reply.size = BLOCK_WORD * 4;
  }
}

/** What a client has open. */
interface OpenFile {
  readonly file: number;
  readonly port: PortName;
}

const useFiles = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const door = await place.find("door", SERVER);
  const client = new FileClient(place, door);
  const open: OpenFile[] = [];
  while (place.goesOn()) {
    const choice = random.below(8);
    const one = open[random.below(open.length)];
    if (one === undefined || (choice === 0 && open.length < 3)) {
      const file = random.below(FILES);
      open.push({ file, port: await client.open(file) });
    } else if (choice === 1) {
      open.splice(open.indexOf(one), 1);
      await client.close(one);
    } else if (choice < 5) {
      await client.read(one, random.below(BLOCKS));
    } else {
      await client.write(one, random.below(BLOCKS));
    }
    place.stepDone();
  }
  for (const one of open) await client.close(one);
  await sendDone(place, [door], client.said, CHANNEL);
  task.ports.deallocate(door);
};

class FileClient {
  readonly said: Ledger;
  private readonly place: Place;
  private readonly door: PortName;
  private readonly replies: PortName;
  /** By file and block: the version seen last, and the number of the client's last write with its version. */
  private readonly seen = new Map<string, number>();
  private readonly written = new Map<string, number>();
  private readonly block = carrierOf(BLOCK_BYTES_MAX);

  constructor(place: Place, door: PortName) {
    this.place = place;
    this.door = door;
    this.said = new Ledger(place.place);
    this.replies = place.task.ports.allocate();
  }

  async open(file: number): Promise<PortName> {
    const request = this.request(OPEN_ID, 4, file);
    return (await this.call(this.door, request)).takeRight().name;
  }

  async close({ port }: OpenFile): Promise<void> {
    await this.call(port, this.request(CLOSE_ID, 0));
    const { ports } = this.place.task;
    // The news of its death may still be on its way.
    while (ports.type(port) !== TYPE_DEAD_NAME) await this.place.task.sleep(1000);
    ports.deallocate(port);
  }

  async read({ file, port }: OpenFile, index: number): Promise<void> {
    const reply = await this.call(port, this.request(READ_ID, 4, index));
    const version = reply.words[AT_VERSION]!;
    const bytes = reply.size - BLOCK_WORD * 4;
    this.checkVersion(file, index, version);
    if (version === 0) return;
    this.block.bytes.set(reply.bytes.subarray(BLOCK_WORD * 4, reply.size));
    checkPayload(this.block, bytes, SERVER, CHANNEL);
    const own = this.written.get(`${file} ${index}`) === version;
    if (own && payloadSender(this.block) !== this.place.place) {
      throw new Error(`file ${file}, block ${index}: version ${version} is not what was written`);
    }
    this.place.messageGood();
  }

  async write({ file, port }: OpenFile, index: number): Promise<void> {
    const { random } = this.place;
    const bytes = PAYLOAD_BYTES_MIN + random.below(BLOCK_BYTES_MAX - PAYLOAD_BYTES_MIN);
    const request = this.request(WRITE_ID, BLOCK_WORD * 4 + bytes, index);
    this.said.write(this.block, bytes, SERVER, CHANNEL);
    request.bytes.set(this.block.bytes.subarray(0, bytes), BLOCK_WORD * 4);
    const reply = await this.call(port, request);
    const version = reply.words[AT_VERSION]!;
    const before = this.seen.get(`${file} ${index}`) ?? 0;
    if (version === before)
      throw new Error(`file ${file}, block ${index}: version ${version} again`);
    this.checkVersion(file, index, version);
    this.written.set(`${file} ${index}`, version);
  }

  private checkVersion(file: number, index: number, version: number): void {
    const key = `${file} ${index}`;
    const before = this.seen.get(key) ?? 0;
    if (version < before) {
      throw new Error(`file ${file}, block ${index}: version ${version} after ${before}`);
    }
    this.seen.set(key, version);
  }

  private request(id: number, bytes: number, firstWord = 0): Message {
    const request = new Message(Math.max(bytes, 4));
    request.id = id;
    request.size = bytes;
    request.words[0] = firstWord;
    return request;
  }

  private async call(port: PortName, request: Message): Promise<Message> {
    request.remote = port;
    request.remoteDisposition = COPY_SEND;
    request.local = this.replies;
    request.localDisposition = MAKE_SEND_ONCE;
    const reply = await this.place.task.rpc(request);
    if (reply.id === request.id + 100) return reply;
    throw new Error(`request ${request.id} was answered with ${reply.id}`);
  }
}

export default fileServer;
