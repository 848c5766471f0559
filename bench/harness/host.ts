// Which machine, which Node.js, which commit: without these a number cannot be compared.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Host {
  readonly cpu: string;
  /** Cores this process may use, which in a container is less than the machine has. */
  readonly cores: number;
  readonly node: string;
  /** Of this package's own repository, with "+" if the tree has changes; null if installed. */
  readonly commit: string | null;
}

export function describeHost(): Host {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    commit: commitOfPackage(),
  };
}

function commitOfPackage(): string | null {
  const root = packageRoot();
  // Installed as a dependency, the nearest repository would be the user's: not our commit.
  if (root === null || !existsSync(join(root, ".git"))) return null;
  const head = git(root, "rev-parse", "--short=12", "HEAD");
  if (head === null) return null;
  const changes = git(root, "status", "--porcelain", "--untracked-files=no");
  return changes === "" ? head : `${head}+`;
}

function packageRoot(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
  return folder;
}

function git(folder: string, ...args: string[]): string | null {
  try {
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    return execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio }).trim();
  } catch {
    return null; // no git on this machine, or a repository without a commit
  }
}
