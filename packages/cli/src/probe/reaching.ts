// plan → [reaching] → a connected socket: name, address, TCP; the proxy's tunnel; TLS

import type { LookupAddress } from "node:dns";
import net from "node:net";
import tls from "node:tls";
import { connect, rewind } from "@upgrade/client";
import { open } from "@upgrade/node";
import type { DialFacts, NameFacts, ProxyFacts, TlsFacts } from "../facts.ts";
import { maskHead } from "../mask.ts";
import { certificatesOf } from "./certificates.ts";
import { failureOf } from "./failure.ts";
import { type Plan, placeName } from "./plan.ts";
import { within } from "./within.ts";

/** Facts, and what the step was for; undefined if it failed. */
export type Step<Found, Result> = readonly [facts: Found, result: Result | undefined];

export async function resolveName(
  host: string,
  { lookup, clock, timeoutMs }: Plan,
): Promise<Step<NameFacts, readonly LookupAddress[]>> {
  const began = clock.now();
  try {
    const addresses = await within(timeoutMs, clock, lookup(host));
    const texts = addresses.map(({ address }) => address);
    return [{ host, addresses: texts, ms: clock.now() - began }, addresses];
  } catch (error) {
    return [{ host, addresses: [], ms: clock.now() - began, failure: failureOf(error) }, undefined];
  }
}

export async function dial(
  place: Pick<Plan, "host" | "port" | "path">,
  addresses: readonly LookupAddress[] | undefined,
  { clock, timeoutMs }: Plan,
): Promise<Step<DialFacts, net.Socket>> {
  const to = placeName(place);
  const began = clock.now();
  const { host, port, path } = place;
  const lookup: net.LookupFunction = (_host, { all }, callback) => {
    const [first = { address: host, family: 4 }] = addresses ?? [];
    if (all) callback(null, [...(addresses ?? [first])]);
    else callback(null, first.address, first.family);
  };
  try {
    const socket = await open(path === undefined ? { host, port } : { path }, {
      proxy: false,
      tcp: { lookup, allowHalfOpen: true },
      timeoutMs,
      clock,
    });
    const { remoteAddress, remotePort } = socket;
    const address = remoteAddress && placeName({ host: remoteAddress, port: remotePort ?? 0 });
    return [{ to, address, ms: clock.now() - began }, socket];
  } catch (error) {
    return [{ to, ms: clock.now() - began, failure: failureOf(error) }, undefined];
  }
}

/** Options of TLS that differ from step to step. */
interface TlsStep {
  readonly host: string;
  readonly to: string;
  readonly alpn: readonly string[];
}

/**
 * TLS on a socket. A certificate that does not prove the host is a fact, not a failure: the caller
 * decides whether to go on.
 */
export async function secure(
  socket: net.Socket,
  { host, to, alpn }: TlsStep,
  { ca, cert, key, clock, timeoutMs }: Plan,
): Promise<Step<TlsFacts, tls.TLSSocket>> {
  const began = clock.now();
  // RFC 6066 §3: an IP address is no server name.
  const servername = net.isIP(host) === 0 ? host : undefined;
  const base = { to, servername };
  let secured: tls.TLSSocket | undefined;
  try {
    secured = tls.connect({
      socket,
      host,
      ...(servername === undefined ? {} : { servername }),
      ALPNProtocols: [...alpn],
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca: [...tls.rootCertificates, ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    secured.on("error", () => {});
    await within(timeoutMs, clock, isSecure(secured));
    const { authorizationError: distrust } = secured;
    const facts: TlsFacts = {
      ...base,
      version: secured.getProtocol() ?? undefined,
      cipher: secured.getCipher().name,
      alpn: secured.alpnProtocol || undefined,
      chain: certificatesOf(secured),
      ms: clock.now() - began,
      distrust: distrust ? { code: codeOf(distrust), message: String(distrust) } : undefined,
    };
    return [facts, secured];
  } catch (error) {
    secured?.destroy();
    socket.destroy();
    return [{ ...base, chain: [], ms: clock.now() - began, failure: failureOf(error) }, undefined];
  }
}

function isSecure(socket: tls.TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve).once("error", reject);
    socket.once("close", () => {
      reject(Object.assign(new Error("closed during the TLS handshake"), { code: "ECONNRESET" }));
    });
  });
}

// Node gives the code of a verification in place of an error.
const codeOf = (error: Error | string): string =>
  typeof error === "string" ? error : ((error as NodeJS.ErrnoException).code ?? error.message);

/** A tunnel through the proxy on this socket. */
export async function tunnelThrough(
  socket: net.Socket,
  plan: Plan,
): Promise<Step<ProxyFacts, net.Socket>> {
  const { proxy, clock, timeoutMs, showsSecrets } = plan;
  const { authorization } = proxy!;
  const began = clock.now();
  const heads: { request: string; response?: string } = { request: "" };
  const facts = () => ({
    name: placeName(proxy!.place),
    hasCredentials: authorization !== undefined,
    ...heads,
    ms: clock.now() - began,
  });
  const lines = (first: string, headers: Iterable<readonly [string, string]>) =>
    maskHead([first, ...[...headers].map((line) => line.join(": "))].join("\n"), showsSecrets);
  try {
    const result = await connect(socket, placeName(plan), {
      headers: authorization === undefined ? {} : { "Proxy-Authorization": authorization },
      timeoutMs,
      clock,
      trace: () => (event) => {
        if (event.type === "request") {
          heads.request = lines(`CONNECT ${event.target} HTTP/${event.version}`, event.headers);
        } else if (event.type === "response") {
          const { version, status, reason, headers } = event;
          heads.response = lines(`HTTP/${version} ${status} ${reason}`, headers);
        }
      },
    });
    const { status } = result.response;
    if (result.switched) return [{ ...facts(), status }, rewind(result.parts)];
    result.connection.abort();
    return [{ ...facts(), status }, undefined];
  } catch (error) {
    return [{ ...facts(), failure: failureOf(error) }, undefined];
  }
}
