// Serves the devices of a node: its device master port, where they are opened by name, and the port that a
// device has for as long as it is open (Mach 3.0 device/ds_routines.c). A device that is open is opened once
// more: it is closed when it has been closed as often, or when nobody has a send right to its port.
// "<3>sd0" is sd0 of node 3, whichever node's master port it is opened at: the request is passed on, and that node answers
// the caller (CMU device/ds_routines.c).

import { assert } from "../base/assert.ts";
import { DISK_RECORD_BYTES } from "../base/limits.ts";
import {
  D_INVALID_OPERATION,
  D_INVALID_SIZE,
  D_NO_SUCH_DEVICE,
  D_READ_ONLY,
  KERN_SUCCESS,
} from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { PORT_DEAD, PORT_IN_KERNEL, type Port } from "../ipc/port.ts";
import { destroyMessage, destroyPort } from "../ipc/release.ts";
import { NOTIFY_NO_SENDERS, PORT_SEND_ONCE } from "../ipc/rights.ts";
import { D_WRITE, DEV_GET_RECORDS, DEV_GET_SIZE, device } from "../task/device-interface.ts";
import type { Interface } from "../task/interface.ts";
import { DEVICE_SPECIAL_PORT } from "../task/special-ports.ts";
import { PageList } from "../vm/page-list.ts";
import { DiskDevice } from "./disk-device.ts";
import type { DiskRecord } from "./disk-file.ts";
import { DiskTransfer } from "./disk-transfer.ts";
import { type KernelFunctions, KernelRoutines, PassedOn } from "./kernel-routines.ts";
import { copySend } from "./kernel-task.ts";

type DeviceShapes = typeof device extends Interface<infer S> ? S : never;

/** A disk and who has it open. */
interface OpenDisk {
  readonly disk: DiskDevice;
  /** Null while it is closed. */
  port: Port | null;
  /** How often it is to be closed. */
  opens: number;
}

/** What the server needs of its kernel. */
export interface DeviceHost {
  readonly ipc: IpcContext;
  readonly node: number;
  readonly nodes: number;
  specialPort(node: number, localId: number): Port;
}

const OPEN = device.subsystem.routine("open");

export class DeviceServer implements KernelServer {
  private readonly host: DeviceHost;
  private readonly ipc: IpcContext;
  private readonly disks = new Map<string, OpenDisk>();
  private readonly master: KernelRoutines;
  private readonly device: KernelRoutines<OpenDisk>;
  private readonly transfer: DiskTransfer;

  constructor(host: DeviceHost, disks: readonly DiskRecord[]) {
    const { ipc } = host;
    this.host = host;
    this.ipc = ipc;
    this.transfer = new DiskTransfer(ipc.vm);
    for (const record of disks) {
      this.disks.set(record.name, { disk: new DiskDevice(record), port: null, opens: 0 });
    }
    this.master = new KernelRoutines(ipc).add(device.subsystem, {
      ...noDevice(ipc),
      open: ({ mode, name }) => this.open(mode, name),
    });
    this.device = new KernelRoutines<OpenDisk>(ipc).add(device.subsystem, this.functions());
  }

  /** A request to the master port. */
  serve(request: KernelMessage): void {
    this.master.serve(request, undefined);
  }

  private open(mode: number, name: string): number | { device: Port } | PassedOn {
    if (!name.startsWith("<")) return this.openHere(mode, name);
    const [, digits, rest] = /^<(\d+)>(.*)$/s.exec(name) ?? [];
    if (digits === undefined || rest === undefined) return D_NO_SUCH_DEVICE;
    const node = Number(digits);
    if (node === this.host.node) return this.openHere(mode, rest);
    if (node >= this.host.nodes) return D_NO_SUCH_DEVICE;
    const master = copySend(this.host.specialPort(node, DEVICE_SPECIAL_PORT))!;
    return new PassedOn(master, OPEN, { mode, name });
  }

  private openHere(mode: number, name: string): number | { device: Port } {
    const open = this.disks.get(name);
    if (open === undefined) return D_NO_SUCH_DEVICE;
    if ((mode & D_WRITE) !== 0 && open.disk.readOnly) return D_READ_ONLY;
    const port = open.port ?? this.makePort(open);
    open.opens += 1;
    port.makeSendCount += 1;
    port.sendRights += 1; // the one that the reply takes along
    return { device: port };
  }

  private makePort(open: OpenDisk): Port {
    const port = this.ipc.ports.create(PORT_IN_KERNEL);
    port.server = {
      wantsPageLists: true,
      serve: (request) => this.serveDevice(request, open),
    };
    open.port = port;
    this.wantNoSenders(port);
    return port;
  }

  /** The port itself is told when nobody has a send right to it. */
  private wantNoSenders(port: Port): void {
    port.sendOnceRights += 1;
    port.noSendersNotify = port;
  }

  private serveDevice(request: KernelMessage, open: OpenDisk): void {
    // Nobody but the kernel has a send-once right to this port.
    if (request.id === NOTIFY_NO_SENDERS && request.remoteRight === PORT_SEND_ONCE) {
      this.sendersGone(request, open);
    } else {
      this.device.serve(request, open);
    }
  }

  private sendersGone(notification: KernelMessage, open: OpenDisk): void {
    const port = open.port!;
    assert(notification.remote === port, "an open device has one port");
    port.sendOnceRights -= 1; // the notification's
    notification.remote = null;
    destroyMessage(this.ipc, notification);
    // It may have been opened once more while the notification waited.
    if (port.sendRights > 0 || port.sendsAbroad) this.wantNoSenders(port);
    else this.shut(open);
  }

  private close(open: OpenDisk): number {
    open.opens -= 1;
    if (open.opens === 0) this.shut(open);
    return KERN_SUCCESS;
  }

  private shut(open: OpenDisk): void {
    const port = open.port!;
    assert(port.state !== PORT_DEAD, "a device is closed once");
    open.port = null;
    open.opens = 0;
    destroyPort(this.ipc, port);
    this.ipc.ports.collectIfGone(port);
  }

  private functions(): KernelFunctions<DeviceShapes, OpenDisk> {
    return {
      open: () => D_INVALID_OPERATION, // of a master port, not of a device's
      close: (_args, open) => this.close(open),
      write: ({ recnum, data }, { disk }) => {
        if (data === null) return D_INVALID_SIZE;
        const { bytes } = data;
        const status = this.transfer.write(disk, recnum, data);
        this.ipc.transfer.discard(data);
        return status === KERN_SUCCESS ? { bytesWritten: bytes } : status;
      },
      writeInband: ({ recnum, data }, { disk }) => {
        const status = disk.writable(recnum, data.length);
        if (status !== KERN_SUCCESS) return status;
        const wrong = disk.write(recnum * DISK_RECORD_BYTES, [data], data.length);
        return wrong === KERN_SUCCESS ? { bytesWritten: data.length } : wrong;
      },
      read: ({ recnum, bytesWanted }, { disk }) => {
        const data = new PageList();
        const status = this.transfer.read(disk, recnum, bytesWanted, data);
        return status === KERN_SUCCESS ? { data } : status;
      },
      readInband: ({ recnum, bytesWanted }, { disk }) => {
        if (bytesWanted > this.ipc.memory.layout.pageBytes) return D_INVALID_SIZE;
        const bytes = disk.readable(recnum, bytesWanted);
        if (bytes < 0) return -bytes;
        const data = new Uint8Array(bytes);
        const wrong = disk.read(recnum * DISK_RECORD_BYTES, [data], bytes);
        return wrong === KERN_SUCCESS ? { data } : wrong;
      },
      setStatus: () => D_INVALID_OPERATION,
      getStatus: ({ flavor }, { disk }) => {
        if (flavor === DEV_GET_SIZE) {
          return { status: [disk.bytes < 2 ** 31 ? disk.bytes : 0, DISK_RECORD_BYTES] };
        }
        if (flavor === DEV_GET_RECORDS) return { status: [disk.records, DISK_RECORD_BYTES] };
        return D_INVALID_OPERATION;
      },
    };
  }
}

/** What a master port answers to calls of devices; what they carry is given up. */
const noDevice = (ipc: IpcContext): Omit<KernelFunctions<DeviceShapes>, "open"> => ({
  close: () => D_NO_SUCH_DEVICE,
  write: ({ data }) => {
    if (data !== null) ipc.transfer.discard(data);
    return D_NO_SUCH_DEVICE;
  },
  writeInband: () => D_NO_SUCH_DEVICE,
  read: () => D_NO_SUCH_DEVICE,
  readInband: () => D_NO_SUCH_DEVICE,
  setStatus: () => D_NO_SUCH_DEVICE,
  getStatus: () => D_NO_SUCH_DEVICE,
});
