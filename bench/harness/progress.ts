// Progress of a run, on stderr only: stdout carries the report. A terminal gets a bar, a log file
// or a CI job gets one line per suite.

import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  start(suite: string, steps: number): void;
  step(what: string): void;
  stop(): void;
}

export const SILENT: Progress = { start() {}, step() {}, stop() {} };

export function progressOn(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? new BarProgress(stream) : new LineProgress(stream);
}

class BarProgress implements Progress {
  private readonly bar: SingleBar;

  constructor(stream: NodeJS.WriteStream) {
    const format = "{suite} {bar} {value}/{total}  {what}";
    const options = { stream, format, hideCursor: true, clearOnComplete: true };
    this.bar = new SingleBar(options, Presets.shades_classic);
  }

  start(suite: string, steps: number): void {
    this.bar.start(steps, 0, { suite, what: "" });
  }

  step(what: string): void {
    this.bar.increment(1, { what });
  }

  stop(): void {
    this.bar.stop();
  }
}

class LineProgress implements Progress {
  private readonly stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  start(suite: string, steps: number): void {
    this.stream.write(`bench: ${suite}: ${steps} steps\n`);
  }

  step(): void {}

  stop(): void {}
}
