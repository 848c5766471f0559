// The distribution of a contender's samples, in an HDR histogram: any number of samples in a fixed
// amount of memory, percentiles good to three significant digits.
//
// The histogram counts integers, and our fastest samples are some tens of nanoseconds with a
// fraction (means of batches), so it is fed with tenths of a nanosecond: 97.3 ns is recorded as
// 973 and nothing below 100 ns is lost to rounding. Minimum, maximum and mean are kept beside it,
// exact, because the histogram would give the edge of a bucket.

import { build, type Histogram } from "hdr-histogram-js";

const TENTHS_PER_NS = 10;
const SIGNIFICANT_DIGITS = 3;
/** A minute: a round trip longer than that is a hang, which is not this file's business. */
const HIGHEST_NS = 60e9;

/** The part of a result that a distribution determines. */
export interface Summary {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly samples: number;
}

export class LatencyHistogram {
  // 64-bit buckets: only they span tenths of a nanosecond to a minute at this precision.
  private readonly tenths: Histogram = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS * TENTHS_PER_NS,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
  });
  private samples = 0;
  private sum = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;

  /** Adds samples in ns. A sample that is no positive number is a bug of its contender: throws. */
  record(samplesNs: Float64Array): void {
    for (const ns of samplesNs) {
      if (!(ns > 0 && ns <= HIGHEST_NS)) throw new RangeError(`not a round-trip time: ${ns} ns`);
      this.tenths.recordValue(Math.max(1, Math.round(ns * TENTHS_PER_NS)));
      this.samples++;
      this.sum += ns;
      if (ns < this.min) this.min = ns;
      if (ns > this.max) this.max = ns;
    }
  }

  summary(): Summary {
    if (this.samples === 0) throw new RangeError("summary of no samples");
    return {
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      min: this.min,
      max: this.max,
      mean: this.sum / this.samples,
      samples: this.samples,
    };
  }

  private percentile(percent: number): number {
    const ns = this.tenths.getValueAtPercentile(percent) / TENTHS_PER_NS;
    // A percentile is reported as the upper edge of its bucket, which may lie above the maximum.
    return Math.min(this.max, Math.max(this.min, ns));
  }
}
