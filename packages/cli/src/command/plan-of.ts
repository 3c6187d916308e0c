// argv → [plan] → probe, connect: a URL and options, as what to try

import { lookup } from "node:dns/promises";
import { systemClock } from "@upgrade/core/io";
import { proxyFor } from "@upgrade/node";
import type { FieldLine } from "../facts.ts";
import type { Plan } from "../probe/plan.ts";
import { UsageError } from "../usage-error.ts";
import { fileOf, headerOf, secondsOf, tokenOf, urlOf } from "./values.ts";

/** The options of a command that connects, as commander gives them. */
export interface ConnectingOptions {
  readonly protocol?: readonly string[] | undefined;
  readonly subprotocol?: readonly string[] | undefined;
  readonly header?: readonly string[] | undefined;
  readonly method?: string | undefined;
  readonly target?: string | undefined;
  readonly body?: string | undefined;
  /** False with --no-proxy; true by default, which says nothing. */
  readonly proxy?: string | boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly timeout?: string | undefined;
  readonly idle?: string | undefined;
  readonly echo?: boolean | undefined;
  readonly showSecrets?: boolean | undefined;
}

const DEFAULT_PORTS = { "http:": 80, "ws:": 80, "https:": 443, "wss:": 443, "unix:": 0 };

/** @throws {UsageError} */
export function planOf(text: string, options: ConnectingOptions): Plan {
  const url = urlOf(text);
  const given = (options.header ?? []).map(headerOf);
  const { isSecure, ...place } = placeIn(url);
  const method = options.method ?? "GET";
  if (method === "CONNECT") {
    throw new UsageError("--method CONNECT asks a proxy for a tunnel", `--proxy ${text}`);
  }
  const host = given.find(([name]) => name.toLowerCase() === "host");
  return {
    url,
    ...place,
    isSecure,
    target: options.target ?? (place.path === undefined ? `${url.pathname}${url.search}` : "/"),
    authority: host?.[1] ?? (place.path === undefined ? url.host : "localhost"),
    method,
    protocols: (options.protocol ?? ["websocket"]).map((one) => tokenOf(one, "--protocol")),
    subprotocols: options.subprotocol ?? [],
    headers: [...given.filter((line) => line !== host), ...authorizationIn(url, given)],
    body: options.body,
    proxy: proxyIn(text, options.proxy),
    isInsecure: options.insecure ?? false,
    ca: options.ca === undefined ? undefined : fileOf(options.ca, "--ca"),
    cert: options.cert === undefined ? undefined : fileOf(options.cert, "--cert"),
    key: options.key === undefined ? undefined : fileOf(options.key, "--key"),
    timeoutMs: timeoutOf(options.timeout ?? "10"),
    idleMs: secondsOf(options.idle ?? "0", "--idle"),
    isEcho: options.echo ?? false,
    showsSecrets: options.showSecrets ?? false,
    clock: systemClock,
    lookup: (name) => lookup(name, { all: true }),
  };
}

function placeIn(url: URL) {
  if (url.protocol === "unix:") {
    return { host: "localhost", port: 0, path: url.pathname, isSecure: false };
  }
  const protocol = url.protocol as keyof typeof DEFAULT_PORTS;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORTS[protocol] : Number(url.port),
    path: undefined,
    isSecure: protocol === "wss:" || protocol === "https:",
  };
}

// Like a browser and curl do (RFC 7617 §2).
function authorizationIn(url: URL, given: readonly FieldLine[]): FieldLine[] {
  const { username, password } = url;
  const hasOne = given.some(([name]) => name.toLowerCase() === "authorization");
  if ((username === "" && password === "") || hasOne) return [];
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return [["Authorization", `Basic ${Buffer.from(pair).toString("base64")}`]];
}

function proxyIn(text: string, proxy: string | boolean | undefined) {
  if (proxy === false) return undefined;
  try {
    return proxyFor(text, typeof proxy === "string" ? { proxy } : {});
  } catch (error) {
    throw new UsageError((error as Error).message, "--proxy http://host:3128");
  }
}

function timeoutOf(text: string): number {
  const ms = secondsOf(text, "--timeout");
  if (ms > 0) return ms;
  throw new UsageError("--timeout must be more than 0", "--timeout 10");
}
