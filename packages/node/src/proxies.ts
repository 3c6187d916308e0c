// environment → [proxies] → open: which proxy leads to a place, if any

import net from "node:net";
import { LocalProtocolError } from "@upgrade/core";
import { decoded, nameOf, type Place, placeOf, placeOfHttp } from "./place.ts";

/** The variables of an environment, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy for CONNECT. */
export interface HttpProxy {
  readonly place: Place;
  /** For errors: where it is, and the variable that names it. */
  readonly name: string;
  /** The value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

/** Where a proxy is named. */
export interface ProxyChoice {
  /** Its URL, or false for none. Default: what `env` names. */
  readonly proxy?: string | URL | false | undefined;
  /** Default: `process.env`. */
  readonly env?: Environment | undefined;
}

/**
 * The proxy through which `open` would lead to a URL; undefined if it would need none.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: a URL that `open` would not take.
 */
export function proxyFor(where: string | URL, choice: ProxyChoice = {}): HttpProxy | undefined {
  return proxyTo(placeOf(where, false), choice);
}

/** The proxy that leads to a place. */
export function proxyTo(
  place: Place,
  { proxy, env = process.env }: ProxyChoice,
): HttpProxy | undefined {
  if (proxy === false) return undefined;
  return proxy === undefined ? proxyIn(env, place) : proxyOf(proxy);
}

/**
 * The proxy that the environment names for a place: `HTTPS_PROXY` for TLS, otherwise `HTTP_PROXY`,
 * unless `NO_PROXY` lists the host. Names in lower case win.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: the variable is no URL of a proxy.
 */
export function proxyIn(env: Environment, place: Place): HttpProxy | undefined {
  if (place.path !== undefined) return undefined;
  const name = place.isSecure ? "HTTPS_PROXY" : "HTTP_PROXY";
  const lower = name.toLowerCase();
  // A CGI program gets the request's header `Proxy` as HTTP_PROXY.
  const isForged = !place.isSecure && env.REQUEST_METHOD !== undefined;
  const value = env[lower] || (isForged ? undefined : env[name]);
  if (!value || isExempt(env.no_proxy || env.NO_PROXY || "", place)) return undefined;
  return proxyOf(value, env[lower] ? lower : name);
}

/** @throws {LocalProtocolError} `INVALID_OPTION`: it is no URL of a proxy. */
export function proxyOf(given: string | URL, variable?: string): HttpProxy {
  const url = urlOf(given);
  const place = url && /^https?:$/.test(url.protocol) ? placeOfHttp(url) : undefined;
  if (url === undefined || place === undefined) {
    // Not quoted: it may have a password.
    const wanted =
      "http://host:port or https://host:port, with user:password@ before the host if it asks for them";
    throw new LocalProtocolError(
      "INVALID_OPTION",
      `${variable ?? "proxy"} is not a proxy for CONNECT: give ${wanted}`,
    );
  }
  const from = variable === undefined ? "" : ` of ${variable}`;
  const name = `the proxy ${nameOf(place)}${from}`;
  return { place, name, authorization: authorizationOf(url, variable ?? "proxy") };
}

function urlOf(given: string | URL): URL | undefined {
  // Many environments have host:port only.
  const text = String(given);
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  return URL.canParse(url) ? new URL(url) : undefined;
}

function authorizationOf({ username, password }: URL, source: string): string | undefined {
  if (username === "" && password === "") return undefined;
  const credentials = `${decoded(username)}:${decoded(password)}`;
  // RFC 7617 §2: neither has control characters, and the user ends at the first colon.
  if (/\p{Cc}/u.test(credentials) || decoded(username).includes(":")) {
    const says =
      "has credentials that cannot be sent: a user without a colon, no control characters";
    throw new LocalProtocolError("INVALID_OPTION", `${source} ${says}`);
  }
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

/** Whether the value of `NO_PROXY` lists the host of a place. */
function isExempt(list: string, place: Place): boolean {
  return list.split(/[\s,]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), place));
}

// A host with its subdomains, an address, a network, each perhaps with a port; or "*".
function matches(entry: string, { host, port }: Place): boolean {
  if (entry === "*") return true;
  // A bare IPv6 address has colons, and no port.
  const [, name = entry, onPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (onPort !== undefined && Number(onPort) !== port) return false;
  const pattern = name.replace(/^\[(.*)\]$/, "$1");
  if (net.isIP(host) !== 0) return isInNetwork(pattern, host);
  // With a dot at its end a name is absolute, and the same.
  const domain = pattern.replace(/^\*?\./, "").replace(/\.$/, "");
  const lower = host.toLowerCase().replace(/\.$/, "");
  return domain !== "" && (lower === domain || lower.endsWith(`.${domain}`));
}

function isInNetwork(pattern: string, host: string): boolean {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(pattern) ?? [];
  const family = net.isIP(address);
  if (family === 0) return false;
  const size = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? size : Number(bits);
  if (prefix > size) return false;
  const network = new net.BlockList();
  network.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  return network.check(host, net.isIPv4(host) ? "ipv4" : "ipv6");
}
