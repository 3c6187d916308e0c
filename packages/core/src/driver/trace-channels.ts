// tracing → [trace channels] → node:diagnostics_channel: traces for tools that watch a whole process

import type {
  RequestHead,
  ResponseHead,
  TracedConnection,
  TraceEvent,
  TraceListener,
} from "./trace.ts";

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
}

const STAGES = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

type TracingChannel = { readonly [Stage in (typeof STAGES)[number]]: Channel };

interface DiagnosticsChannel {
  channel(name: string): Channel;
  tracingChannel(name: string): TracingChannel;
}

interface Platform {
  readonly process?: { getBuiltinModule?(id: string): DiagnosticsChannel | undefined };
}

// Not imported: other runtimes, and bundles for them, lack the module.
const { process } = globalThis as Platform;
const diagnostics = process?.getBuiltinModule?.("node:diagnostics_channel");
const events = diagnostics?.channel("upgrade:trace");
const exchanges = diagnostics?.tracingChannel?.("upgrade:exchange");

/** What subscribers of the tracing channel `upgrade:exchange` get, one object for each exchange. */
export interface TracedExchange extends TracedConnection {
  readonly request: RequestHead;
  /** The final response, from `asyncStart` on. */
  response?: ResponseHead;
  /** What the connection switched to. */
  protocol?: string;
  /** Why the exchange failed, at `error`. */
  error?: unknown;
}

/** Publishes a connection's events to the subscribers; undefined if there are none when it begins. */
export function channelListener(connection: TracedConnection): TraceListener | undefined {
  const isWatched = exchanges !== undefined && STAGES.some((one) => exchanges[one].hasSubscribers);
  const ofExchanges = isWatched ? exchangeListener(connection, exchanges) : undefined;
  if (events?.hasSubscribers !== true) return ofExchanges;
  return (event) => {
    events.publish({ connection, event });
    ofExchanges?.(event);
  };
}

// By number; an exchange that has ended is removed.
function exchangeListener(connection: TracedConnection, channel: TracingChannel): TraceListener {
  const open = new Map<number, TracedExchange>();
  const end = (number: number): void => {
    const exchange = open.get(number);
    if (exchange === undefined) return;
    open.delete(number);
    channel.asyncEnd.publish(exchange);
  };
  return (event: TraceEvent) => {
    switch (event.type) {
      case "request": {
        const exchange: TracedExchange = { ...connection, request: event };
        open.set(event.exchange, exchange);
        channel.start.publish(exchange);
        channel.end.publish(exchange);
        break;
      }
      case "response": {
        const exchange = open.get(event.exchange);
        // Our answer to a request that could not be read.
        if (exchange === undefined) break;
        exchange.response = event;
        channel.asyncStart.publish(exchange);
        break;
      }
      case "switched":
        open.get(event.exchange)!.protocol = event.protocol;
        break;
      case "end-of-message":
        if (event.of === "response") end(event.exchange);
        break;
      case "closed":
        for (const [number, exchange] of [...open]) {
          if (event.reason.kind === "failed") {
            exchange.error = event.reason.error;
            channel.error.publish(exchange);
          }
          end(number);
        }
        break;
      default:
        break;
    }
  };
}
