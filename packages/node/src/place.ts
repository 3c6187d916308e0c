// application → [place] → open: where to connect, from a URL or from parts of one

import net from "node:net";
import { LocalProtocolError } from "@upgrade/core";
import { checkOptions, inWords, type Kinds } from "@upgrade/core/io";
import { PORT, SOCKET_PATH, TEXT } from "./kinds.ts";

/** Where to connect: a port of a host, or a Unix socket. */
export interface Address {
  readonly host?: string | undefined;
  /** 1 to 65,535. */
  readonly port?: number | undefined;
  /** A Unix socket or Windows pipe, instead of a host and a port. */
  readonly path?: string | undefined;
}

/** A place to connect to, checked. */
export interface Place {
  /** Without brackets, also for IPv6. */
  readonly host: string;
  readonly port: number;
  /** Replaces the host and the port. */
  readonly path?: string | undefined;
  readonly isSecure: boolean;
}

interface Scheme {
  readonly port: number;
  readonly isSecure: boolean;
}

const PLAIN: Scheme = { port: 80, isSecure: false };
const SECURE: Scheme = { port: 443, isSecure: true };
const SCHEMES: Readonly<Record<string, Scheme>> = {
  "http:": PLAIN,
  "ws:": PLAIN,
  "https:": SECURE,
  "wss:": SECURE,
};

const ADDRESS: Kinds<Address> = { host: TEXT, port: PORT, path: SOCKET_PATH };

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function placeOf(where: string | URL | Address, hasTls: boolean): Place {
  if (typeof where === "string" || where instanceof URL) return placeOfUrl(where, hasTls);
  if (typeof where !== "object" || where === null) {
    const what = `where to connect is ${inWords(where)}, not a URL or an object`;
    throw new LocalProtocolError("INVALID_OPTION", what);
  }
  checkOptions(where, ADDRESS);
  const { host = "localhost", port = 0, path } = where;
  if (path === undefined ? port === 0 : (where.port ?? where.host) !== undefined) {
    throw new LocalProtocolError("INVALID_OPTION", "give a port from 1 to 65535, or a path alone");
  }
  return { host, port, path, isSecure: hasTls };
}

function placeOfUrl(where: string | URL, hasTls: boolean): Place {
  const [, path] = /^unix:(?:\/\/(?=\/))?(.*)$/is.exec(String(where)) ?? [];
  // A URL encodes what a path may have; a string is the path as it is.
  if (path !== undefined)
    return placeOf({ path: where instanceof URL ? decoded(path) : path }, hasTls);
  const url = parsed(where);
  const place = placeOfHttp(url);
  if (place === undefined) {
    const known = "http:, https:, ws:, wss: and unix: are";
    throw new LocalProtocolError(
      "INVALID_OPTION",
      `${url.protocol} is no scheme to open: ${known}`,
    );
  }
  if (hasTls && !place.isSecure) {
    throw new LocalProtocolError(
      "INVALID_OPTION",
      `tls is not for ${url.protocol}: use https: or wss:`,
    );
  }
  return place;
}

function parsed(where: string | URL): URL {
  try {
    return new URL(where);
  } catch (cause) {
    // Not quoted: it may have a password.
    throw new LocalProtocolError("INVALID_OPTION", "it is no URL: it needs a scheme and a host", {
      cause,
    });
  }
}

/** A part of a URL without its percent-encoding. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone "%", which the URL standard leaves as it is.
    return text;
  }
}

/** The place that a URL of a known scheme names. */
export function placeOfHttp(url: URL): Place | undefined {
  const scheme = Object.hasOwn(SCHEMES, url.protocol) ? SCHEMES[url.protocol] : undefined;
  if (scheme === undefined) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? scheme.port : Number(url.port);
  return { host, port, isSecure: scheme.isSecure };
}

/** `host:port`, as CONNECT and errors name a place; or its path. */
export function nameOf({ host, port, path }: Place): string {
  if (path !== undefined) return path;
  return net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
