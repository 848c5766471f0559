// The server: writes its files to a disk of its node, then serves them. Every read is a read of the disk: the
// pages that come in from there go out to the client as they are.

import {
  D_NO_SUCH_DEVICE,
  D_READ,
  D_WRITE,
  DEV_GET_SIZE,
  device,
  KERN_INVALID_ARGUMENT,
  MachError,
  type Program,
} from "normacube";
import { byteOf, FILE_BYTES, FILES, fileServer } from "./files.ts";

const MODE = 0;

const server: Program = async (task) => {
  const { pageBytes } = task.vm;
  const opened = await device
    .client(task, task.deviceMaster())
    .open({ mode: D_READ | D_WRITE, name: "sd0" });
  const disk = device.client(task, opened.device);
  const { status } = await disk.getStatus({ flavor: DEV_GET_SIZE });
  const recordBytes = status[1]!;

  // Files lie one behind the other, each from a page boundary on.
  const starts: number[] = [];
  let end = 0;
  for (const [file, bytes] of FILE_BYTES.entries()) {
    const whole = Math.ceil(bytes / pageBytes) * pageBytes;
    const address = task.vm.allocate(whole);
    task.memory.write(
      address,
      Uint8Array.from({ length: bytes }, (_, offset) => byteOf(file, offset)),
    );
    const data = { address, bytes: whole, deallocate: true };
    await disk.write({ mode: MODE, recnum: end / recordBytes, data });
    starts.push(end);
    end += whole;
  }

  const port = task.ports.allocate();
  await task.names.checkIn("file server", port);
  await fileServer.serve(task, port, {
    open: ({ name }) => {
      const file = FILES.indexOf(name);
      if (file < 0) throw new MachError(D_NO_SUCH_DEVICE, `no file ${name}`);
      return { file, size: FILE_BYTES[file]! };
    },
    read: async ({ file, offset, count }) => {
      const wrong = offset % pageBytes !== 0 || !(offset < (FILE_BYTES[file] ?? 0));
      if (wrong) throw new MachError(KERN_INVALID_ARGUMENT, `${offset} of ${file}`);
      const bytesWanted = Math.min(count, 2 * pageBytes, FILE_BYTES[file]! - offset);
      const recnum = (starts[file]! + offset) / recordBytes;
      const { data } = await disk.read({ mode: MODE, recnum, bytesWanted });
      return { data: { ...data, deallocate: true } };
    },
  });
};

export default server;
