// traces, WebSockets → [metrics] → /metrics: counts, in the text format of Prometheus

import type { TraceEvent } from "@upgrade/core/io";
import { Counter, Gauge, Registry } from "prom-client";

/** What is asked when the counts are read. */
export interface Present {
  readonly people: number;
  readonly rooms: number;
  readonly connections: number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #present: () => Present;
  readonly #switches = this.#counter(
    "chat_switches_total",
    "Connections that left HTTP",
    "protocol",
  );
  readonly #refusals = this.#counter("chat_refusals_total", "Proposals refused", "status");
  readonly #closings = this.#counter("chat_closings_total", "WebSockets that ended", "code");
  readonly #messages = this.#counter("chat_messages_total", "Messages of clients");
  readonly #people = this.#gauge("chat_people", "People in all rooms");
  readonly #rooms = this.#gauge("chat_rooms", "Open rooms");
  readonly #connections = this.#gauge("chat_connections", "Open sockets");

  constructor(present: () => Present) {
    this.#present = present;
  }

  /** The content type of {@link read}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  read(): Promise<string> {
    const { people, rooms, connections } = this.#present();
    this.#people.set(people);
    this.#rooms.set(rooms);
    this.#connections.set(connections);
    return this.#registry.metrics();
  }

  traced(event: TraceEvent): void {
    if (event.type === "switched") this.#switches.inc({ protocol: event.protocol });
    else if (event.type === "refused") this.#refusals.inc({ status: event.status });
  }

  message(): void {
    this.#messages.inc();
  }

  /** @param code Of the close frame; 1006 without one. */
  closed(code: number): void {
    this.#closings.inc({ code });
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }
}
