// What suite loss tells its client.

export interface LossArgs {
  /** The service's name with the name server. */
  readonly name: string;
  readonly serverNode: number;
  /** Payload each way. */
  readonly bytes: number;
  /** How long to call, ms; the call that is under way then is the last. */
  readonly windowMs: number;
}
