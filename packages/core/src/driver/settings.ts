// driver ← [settings] ← application: the options of connections, checked once for all of them

import { type LimitOptions, type Limits, resolveLimits } from "../base/limits.ts";
import { CLOCK, FUNCTION, type Kinds } from "../base/options.ts";
import type { Role } from "../base/role.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Trace } from "./trace.ts";

/** Options of every driver. */
export interface DriverOptions extends LimitOptions {
  /** Default: the platform's. */
  readonly clock?: Clock | undefined;
  /** Reports what each connection does, from its first head to the end of its tunnel. Default: none. */
  readonly trace?: Trace | undefined;
}

/** The options of a role other than the limits. */
export type DriverKinds<Options extends DriverOptions> = Kinds<Omit<Options, keyof LimitOptions>>;

/** The kinds of the options that are not limits. */
export const DRIVER_OPTIONS: DriverKinds<DriverOptions> = { clock: CLOCK, trace: FUNCTION };

/** What the connections of one service, or of one pool, have in common. */
export class Settings {
  readonly role: Role;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly trace: Trace | undefined;

  /** @throws {LocalProtocolError} `INVALID_OPTION`. */
  constructor(role: Role, options: DriverOptions, kinds: DriverKinds<DriverOptions>) {
    this.role = role;
    this.limits = resolveLimits(options, role, kinds);
    this.clock = options.clock ?? systemClock;
    this.trace = options.trace;
  }
}
