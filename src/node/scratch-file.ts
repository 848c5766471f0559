// A temporary file without a name: it lies in a fresh directory under the system's temporary one, and both
// are unlinked as soon as it is open. So nothing is left behind however the process ends, by a signal too;
// its bytes go when the last descriptor does. Where an open file cannot be unlinked, close() removes it.

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In place of a descriptor, once the file is closed: the number may be another file's by then. */
export const CLOSED = -1;

/** What the directories' names begin with. */
export const SCRATCH_PREFIX = "normacube-";

export class ScratchFile {
  /** For reading and writing, by every thread of the process. */
  readonly fd: number;
  private readonly directory: string;
  private open = true;

  /** `bytes` zero bytes, which take no room until they are written. Throws the system's error. */
  constructor(bytes: number) {
    this.directory = mkdtempSync(join(tmpdir(), SCRATCH_PREFIX));
    try {
      this.fd = openSync(join(this.directory, "pages"), "wx+", 0o600);
    } catch (error) {
      this.remove();
      throw error;
    }
    this.remove();
    try {
      ftruncateSync(this.fd, bytes);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Idempotent. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.fd);
    this.remove();
  }

  /** Removes the names that the system lets go of now. */
  private remove(): void {
    try {
      rmSync(this.directory, { recursive: true, force: true });
    } catch {
      // A system that keeps names of open files: close() comes again.
    }
  }
}
