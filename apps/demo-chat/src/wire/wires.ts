// traces, frames → [wires] → pages: who watches which connection

import type { Trace, TraceEvent } from "@upgrade/core/io";
import type { Report } from "./messages.ts";
import { WIRE } from "./probe-table.ts";
import { type Frame, type RefusalBody, type WireEvent, wireEvent } from "./wire-event.ts";

/** A page that watches. */
interface Watcher {
  readonly tell: (report: Report) => void;
  /** The connection of its last request. */
  latest?: Wire;
}

/** More pages than this cannot watch at the same time. */
export const MAX_WATCHERS = 1000;

/** An identifier that a page made up. Whoever knows it sees the page's connections. */
export const WATCHER_ID = /^[\w-]{22,64}$/;

/** One connection, and the page that watches it, if any. */
export class Wire {
  readonly #connection: number;
  readonly #find: (id: string | null) => Watcher | undefined;
  #watcher: Watcher | undefined;

  constructor(connection: number, find: (id: string | null) => Watcher | undefined) {
    this.#connection = connection;
    this.#find = find;
  }

  /** An event of the packages' trace. The request says who watches. */
  traced(event: TraceEvent): void {
    if (event.type === "request") {
      this.#watcher = this.#find(watcherIn(event.target));
      if (this.#watcher !== undefined) this.#watcher.latest = this;
    }
    if (this.#watcher === undefined) return;
    const told = wireEvent(event);
    if (told !== undefined) this.#tell(told);
  }

  get isWatched(): boolean {
    return this.#watcher !== undefined;
  }

  /** What the trace does not have: frames, and the body of a refusal. */
  tell(event: Frame | RefusalBody): void {
    this.#tell(event);
  }

  #tell(event: WireEvent): void {
    this.#watcher?.tell({ connection: this.#connection, event });
  }
}

/** All connections of a server. */
export class Wires {
  readonly #watchers = new Map<string, Watcher>();
  readonly #wires = new WeakMap<object, Wire>();
  #connections = 0;

  /** For the option `trace` of the server. */
  readonly trace: Trace = ({ io }) => {
    const wire = new Wire(++this.#connections, (id) => this.#watchers.get(id ?? ""));
    this.#wires.set(io as object, wire);
    return (event) => wire.traced(event);
  };

  /** The connection of a request that is being answered in this turn, if it is watched. */
  asking(target: string): Wire | undefined {
    return this.#watchers.get(watcherIn(target) ?? "")?.latest;
  }

  /** The connection on this io. */
  on(io: object): Wire | undefined {
    return this.#wires.get(io);
  }

  get isFull(): boolean {
    return this.#watchers.size >= MAX_WATCHERS;
  }

  has(id: string): boolean {
    return this.#watchers.has(id);
  }

  /** Reports connections whose request names this watcher, until the returned function is called. */
  watch(id: string, tell: Watcher["tell"]): () => void {
    this.#watchers.set(id, { tell });
    return () => this.#watchers.delete(id);
  }
}

function watcherIn(target: string): string | null {
  const query = target.indexOf("?");
  return query < 0 ? null : new URLSearchParams(target.slice(query)).get(WIRE);
}
