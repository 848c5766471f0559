// A client: reads every file from front to back, one or two pages at a time, and compares it with what should
// be there.

import type { Program } from "normacube";
import { byteOf, FILES, fileServer } from "./files.ts";

export interface ReadReport {
  readonly reads: number;
  readonly bytes: number;
  readonly wrong: number;
}

const client: Program<{ readonly pages: number }, ReadReport> = async (task, { pages }) => {
  const server = fileServer.client(task, await task.names.lookUp("file server"));
  const count = pages * task.vm.pageBytes;
  let [reads, bytes, wrong] = [0, 0, 0];
  for (const name of FILES) {
    const { file, size } = await server.open({ name });
    for (let offset = 0; offset < size; offset += count) {
      const { data } = await server.read({ file, offset, count });
      const got = task.memory.read(data.address, data.bytes);
      task.vm.deallocate(data.address, data.bytes);
      if (got.length !== Math.min(count, size - offset)) wrong += 1;
      for (const [i, byte] of got.entries()) if (byte !== byteOf(file, offset + i)) wrong += 1;
      reads += 1;
      bytes += got.length;
    }
  }
  return { reads, bytes, wrong };
};

export default client;
